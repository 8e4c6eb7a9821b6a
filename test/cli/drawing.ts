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

/** Finds an object in pictures, and says what there is. `Wide` and `Other` look similar, and are not of frames. */
export const finding = `
net Finds(x: f32[N, 1, 8, 8]) -> f32[N, 2, 6] { return x -> flatten -> dense(12) -> reshape(N, 2, 6) }

net Found(x: f32[N, 1, 8, 8]) -> (boxes: f32[N, 2, 4], scores: f32[N, 2, 2]) {
  p = Finds(x)
  return 8 * p[..., 0:4], p[..., 4:]
}

net Objects(box: f32[N, 2, 4], kind: f32[N, 2, 2]) -> (boxes: f32[N, 2, 4], scores: f32[N, 2, 2]) { return box, kind }

net Wide(x: f32[N, 1, 9, 9]) -> (boxes: f32[N, 2, 4], scores: f32[N, 2, 2]) {
  return reshape(x -> flatten -> dense(8), N, 2, 4), reshape(x -> flatten -> dense(4), N, 2, 2)
}
net Other(x: f32[N, 1, 8, 8]) -> (boxes: f32[N, 2, 3], scores: f32[N, 2, 2]) {
  p = Finds(x)
  return p[..., 0:3], p[..., 4:]
}

train find {
  data x: f32[N, 1, 8, 8]
  data box: f32[N, 2, 4]
  data kind: f32[N, 2, 2]
  p = Finds(x)
  minimize mse(p[..., 0:4], box / 8) + mse(p[..., 4:], kind) over Finds by sgd(lr = 0.2, momentum = 0.5)
}
`;

/** One object each, 4 x 3 pixels, of class 1; where it is follows the picture. The second place is empty. */
export function objects(n: number): Record<string, TensorValue> {
  const left = (i: number) => 1 + (i % 3);
  const floats = (shape: readonly number[], of: (i: number, at: number) => number): TensorValue => {
    const size = shape.reduce((a, b) => a * b);
    const data = Float32Array.from({ length: n * size }, (_, k) => of(Math.floor(k / size), k % size));
    return { dtype: 'f32', shape: [n, ...shape], data };
  };
  return {
    x: floats([1, 8, 8], (i, at) => {
      const [row, column] = [Math.floor(at / 8), at % 8];
      return row >= 2 && row < 5 && column >= left(i) && column < left(i) + 4 ? 1 : 0;
    }),
    box: floats([2, 4], (i, at) => [left(i), 2, left(i) + 4, 5][at] ?? 0),
    kind: floats([2, 2], (_, at) => [0, 1][at] ?? 0),
  };
}
