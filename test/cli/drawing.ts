import type { TensorValue } from '../../runtime/index.ts';

/** Classifies pictures, and makes one. */
export const drawing = `
block Part(c: int)(x: f32[N, C, H, W]) -> f32[N, c, H, W] { return x -> conv: conv(c, 3, pad = 1) -> relu }

net Sees(x: f32[N, 1, 8, 8]) -> f32[N, 3] {
  return x -> a: Part(4) -> avg_pool(2) -> b: Part(4) -> avg_pool(2) -> flatten -> head: dense(3)
}

net Draws(x: f32[N, 3]) -> f32[N, 1, 8, 8] { return x -> dense(64) -> reshape(-1, 1, 8, 8) }

train fit {
  data x: f32[N, 1, 8, 8]
  data y: i32[N]
  logits = Sees(x)
  picture = Draws(stop(logits))
  right = accuracy(logits, y)
  metric accuracy = right
  minimize cross_entropy(logits, y) + mse(picture, x)
    over Sees by sgd(lr = 0.1, momentum = 0.9), Draws by sgd(lr = 0.1)
}
`;

/** Class i is bright in its own third. */
export function thirds(n: number): Record<string, TensorValue> {
  return {
    x: {
      dtype: 'f32',
      shape: [n, 1, 8, 8],
      data: Float32Array.from({ length: n * 64 }, (_, i) => {
        const [image, row] = [Math.floor(i / 64), Math.floor((i % 64) / 8)];
        return Math.floor((row * 3) / 8) === image % 3 ? 1 : (i % 5) / 10;
      }),
    },
    y: { dtype: 'i32', shape: [n], data: Int32Array.from({ length: n }, (_, i) => i % 3) },
  };
}
