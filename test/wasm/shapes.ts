import type { DimEnv } from '../../src/ir/dim.ts';

/** A program, and the sizes that it is run at. */
export interface ShapeCase {
  readonly name: string;
  readonly text: string;
  readonly sizes: readonly DimEnv[];
}

/** Below, at and above the blocks of 16 examples, and the batch from which they are used. */
const batches = [1, 7, 8, 16, 17, 33].map((N): DimEnv => ({ N }));
const few: readonly DimEnv[] = [{ N: 1 }, { N: 17 }];

/** Sizes at which tiles, vectors and phases end in all ways. */
const images = [
  [4, 4],
  [6, 9],
  [7, 5],
] as const;

const layers: readonly (readonly [name: string, layer: string])[] = [
  ['filters of 3 x 3', 'conv(5, 3, pad = 1)'],
  ['filters of 3 x 3 without padding', 'conv(3, 3)'],
  ['stride 2', 'conv(4, 3, stride = 2, pad = 1)'],
  ['stride 3', 'conv(4, 3, stride = 3, pad = 1)'],
  ['groups', 'conv(6, 3, pad = 1, groups = 2)'],
  ['one channel a group', 'conv(4, 3, pad = 1, groups = 4)'],
  ['dilation', 'conv(3, 3, pad = 2, dilation = 2)'],
  ['filters of 1 x 1', 'conv(7, 1)'],
  ['transposed filters', 'conv_transpose(3, 3, stride = 2, pad = 1)'],
];

/** One net for images of all sizes: one module. */
function netOf(layer: string, batch: string): string {
  const inputs = images.map(([h, w], i) => `x${i}: f32[${batch}, 4, ${h}, ${w}]`);
  const outputs = images.map((_, i) => `y${i}: f32[${batch}, A${i}, B${i}, C${i}]`);
  const lines = images.map((_, i) => `  y${i} = x${i} -> l${i}: ${layer} -> relu\n`);
  const names = images.map((_, i) => `y${i}`);
  return `net Shapes(${inputs.join(', ')}) -> (${outputs.join(', ')}) {\n${lines.join('')}  return ${names.join(', ')}\n}`;
}

const free = `net Free(x: f32[N, 3, H, W]) -> f32[N, A, B, C] {
  return x -> a: conv(5, 3, pad = 1) -> relu -> b: conv(4, 3, stride = 2, pad = 1) -> instance_norm -> avg_pool(2)
}`;

const trained = (optimiser: string): string => `net Small(x: f32[N, 2, 6, 5]) -> f32[N, 3] {
  return x -> c: conv(4, 3, pad = 1) -> batch_norm -> relu -> d: conv(5, 3) -> max_pool(2) -> flatten -> head: dense(3)
}

train fit {
  data pixels: u8[N, 2, 6, 5]
  data label: i32[N]
  logits = Small(cast(pixels, f32) / 19)
  loss = cross_entropy(logits, label % 3)
  metric right = mean(cast(argmax(logits, axis = 1) == label % 3, f32))
  minimize loss over Small by ${optimiser}
}`;

const recurrent = `net Words(x: f32[N, 5, 3]) -> f32[N, 2] {
  h = x -> lstm(6)
  return h[:, -1, :] -> dense(2)
}

train fit {
  data x: f32[N, 5, 3]
  data y: f32[N, 2]
  loss = mean((Words(x) - y) ^ 2)
  minimize loss over Words by adam(lr = 0.01)
}`;

const small = `net Narrow(x: f32[N, 3], y: f32[N, 1], u: u8[N, 2], h: f16[N, 5], i: i32[N, 3], p: bool[N, 3])
    -> (positive: bool[N, 3], both: bool[N, 3], wide: f32[N, 3], bytes: f32[N, 2], half: f16[N, 5], nothing: f32[N, 0],
        none: f32[N], best: i32[N], turned: i32[3, N], total: f32[3]) {
  gone = x[:, 3:]
  return x > 0.1, p or i > 0, x * y + 1, cast(u, f32) / 3, h * h + 1, gone, sum(gone, axis = 1), argmax(x, axis = 1),
    transpose(i, [1, 0]), mean(x, axis = 0)
}`;

const products = `net Products(x: f32[N, 33], t: f32[5, N, 3], s: f32[5, 3, 7])
    -> (a: f32[N, 7], b: f32[N, 1], c: f32[5, N, 7], d: f32[N, 33], e: f32[33, 33], f: f32[N], g: f32[5, 3]) {
  return x -> m: dense(7), x -> n: dense(1, bias = false), t @ s, softmax(x, axis = 1), transpose(x, [1, 0]) @ x,
    log_sum_exp(x, axis = 1), max(t, axis = 1)
}`;

export const shapeCases: readonly ShapeCase[] = [
  ...layers.map(([name, layer]) => ({ name, text: netOf(layer, 'N'), sizes: few })),
  ...['1', '8', '17'].flatMap(batch =>
    layers.slice(0, 3).map(([name, layer]) => ({
      name: `${name}, a batch of ${batch}`,
      text: netOf(layer, batch),
      sizes: [{}],
    })),
  ),
  {
    name: 'free heights and widths',
    text: free,
    sizes: [
      { N: 1, H: 4, W: 9 },
      { N: 8, H: 7, W: 5 },
      { N: 17, H: 9, W: 4 },
    ],
  },
  { name: 'adam', text: trained('adam(lr = 0.01)'), sizes: [{ N: 7 }, { N: 17 }] },
  { name: 'sgd with momentum', text: trained('sgd(lr = 0.1, momentum = 0.9)'), sizes: [{ N: 16 }] },
  { name: 'a loop with states, trained', text: recurrent, sizes: few },
  { name: 'narrow tensors of all dtypes', text: small, sizes: batches },
  { name: 'products and reductions', text: products, sizes: batches },
];
