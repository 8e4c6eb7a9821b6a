import { describe, expect, test } from 'vitest';
import { f32, i32, interpret, moduleOf, scalar } from './helpers.ts';

/** Value of a one-line net of x (and more inputs), in plain numbers. */
function value(
  expr: string,
  inputs: Record<string, ReturnType<typeof f32>>,
  prelude = '',
  signature = 'x: f32[N, M]',
) {
  const module = moduleOf(`${prelude}\nnet A(${signature}) -> f32[...] { return ${expr} }`);
  return interpret(module.nets[0]!.predict, inputs).out!;
}
const x = f32([2, 3], [1, -2, 3, 0.5, 4, -6]);

describe('expressions', () => {
  test.each<[string, number[]]>([
    ['x * 2 + 1', [3, -3, 7, 2, 9, -11]],
    ['-x', [-1, 2, -3, -0.5, -4, 6]],
    ['x ^ 2', [1, 4, 9, 0.25, 16, 36]],
    ['2 ^ 3 - x', [7, 10, 5, 7.5, 4, 14]],
    ['x ~/ 2', [0, -1, 1, 0, 2, -3]],
    ['x % 2', [1, 0, 1, 0.5, 0, 0]],
    ['sum(x)', [0.5]],
    ['sum(x, axis = 1)', [2, -1.5]],
    ['sum(x, axis = -1, keep = true)', [2, -1.5]],
    ['mean(x, axis = 0)', [0.75, 1, -1.5]],
    ['mean(x)', [0.5 / 6]],
    ['variance(x, axis = 1)', [38 / 9, (0.5 ** 2 + 16 + 36) / 3 - 0.25]],
    ['max(x, 0)', [1, 0, 3, 0.5, 4, 0]],
    ['max(x, axis = 1)', [3, 4]],
    ['min(x)', [-6]],
    ['prod(x, axis = 1)', [-6, -12]],
    ['where(x > 0 and x < 3, x, 0)', [1, 0, 0, 0.5, 0, 0]],
    ['where(not (x > 0), 1, 0)', [0, 1, 0, 0, 0, 1]],
    ['clamp(x, -1, 2)', [1, -1, 2, 0.5, 2, -1]],
    ['x[0]', [1, -2, 3]],
    ['x[:, 1]', [-2, 4]],
    ['x[..., -1]', [3, -6]],
    ['x[1, 0:2]', [0.5, 4]],
    ['x[:, ::2]', [1, 3, 0.5, -6]],
    ['x[::-1]', [0.5, 4, -6, 1, -2, 3]],
    ['x[0, ::-1]', [3, -2, 1]],
    ['x[:, ::-2]', [3, 1, -6, 0.5]],
    ['x[:, 1::-1]', [-2, 1, 4, 0.5]],
    ['x[:, -1:0:-1]', [3, -2, -6, 4]],
    ['x[:, :-2:-1]', [3, -6]],
    ['x[0] * [1, 2, 3][::-1][0]', [3, -6, 9]],
    ['x[0] * len([1, 2, 3, 4][2:0:-1])', [2, -4, 6]],
    ['x[0] * [1, 2, 3, 4, 5][-1:0:-2][1]', [3, -6, 9]],
    ['flip(x, -1)', [3, -2, 1, -6, 4, 0.5]],
    ['grad(sum(x[0, ::-2] * x[1, 0:2]), x)', [4, 0, 0.5, 3, 1, 0]],
    ['x @ transpose(x)', [14, -25.5, -25.5, 52.25]],
    ['x @ x[0]', [14, -25.5]],
    ['x[0] @ x[1]', [-25.5]],
    ['concat(x, x[:, 0:1], axis = 1)', [1, -2, 3, 1, 0.5, 4, -6, 0.5]],
    ['reshape(x, -1)', [1, -2, 3, 0.5, 4, -6]],
    ['squeeze(unsqueeze(x, 0), 0)', [1, -2, 3, 0.5, 4, -6]],
    ['cast(argmax(x, axis = 1), f32)', [2, 1]],
    ['cast(iota(3), f32) + x[0]', [1, -1, 5]],
    ['zeros(3) + ones(3)', [1, 1, 1]],
    ['one_hot(argmax(x, axis = 1), 3)', [0, 0, 1, 0, 1, 0]],
    ['grad(sum(x ^ 3), x)', [3, 12, 27, 0.75, 48, 108]],
    ['grad(sum(grad(sum(x ^ 3), x)), x)', [6, -12, 18, 3, 24, -36]],
    ['x -> add(1) -> sub(x)', [1, 1, 1, 1, 1, 1]],
    ['x * (if 2 > 1 { 2 } else { 3 })', [2, -4, 6, 1, 8, -12]],
    // Where clamp changes nothing, at the bounds too, the gradient passes.
    ['grad(sum(clamp(x, -2, 3)), x)', [1, 1, 1, 1, 0, 0]],
    // As in PyTorch the upper bound has the last word.
    ['clamp(x, 2, -1)', [-1, -1, -1, -1, -1, -1]],
    ['stop(x) * sum([1, 2]) * len([4, 5])', [6, -12, 18, 3, 24, -36]],
  ])('%s', (expr, want) => {
    const got = value(expr, { x }, '', 'x: f32[2, 3]');
    expect(got.length).toBe(want.length);
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 9);
    });
  });

  test('a free size divides as a number', () => {
    expect(value('x / M + N', { x })[0]).toBeCloseTo(1 / 3 + 2, 12);
  });

  test('sizes are numbers in expressions and polynomials in shapes', () => {
    const gram = `fn gram(f: f32[1, C, H, W]) -> f32[C, C] {
      m = reshape(f, C, H * W)
      return m @ transpose(m) / (C * H * W)
    }`;
    const got = value('gram(x)', { x: f32([1, 2, 1, 3], [1, 2, 3, 4, 5, 6]) }, gram, 'x: f32[1, 2, H, W]');
    expect(got).toEqual([14 / 6, 32 / 6, 32 / 6, 77 / 6]);
  });
});

describe('activations and losses', () => {
  test.each<[string, (x: number) => number]>([
    ['leaky_relu(x, 0.1)', v => (v > 0 ? v : 0.1 * v)],
    ['elu(x)', v => (v > 0 ? v : Math.exp(v) - 1)],
    ['swish(x, beta = 2)', v => v / (1 + Math.exp(-2 * v))],
    ['softplus(x)', v => Math.log(1 + Math.exp(v))],
    [
      'gelu(x, approximate = true)',
      v => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
    ],
  ])('%s', (expr, f) => {
    value(expr, { x }, '', 'x: f32[N, 3]').forEach((v, i) => {
      expect(v).toBeCloseTo(f(x.data[i]!), 9);
    });
  });

  test('softmax does not overflow', () => {
    const [a, b] = value('softmax(x)', { x: f32([1, 2], [1000, 1001]) });
    expect(a).toBeCloseTo(1 / (1 + Math.E), 12);
    expect(b).toBeCloseTo(Math.E / (1 + Math.E), 12);
  });

  const train = (
    loss: string,
    data: string,
  ) => `net A(x: f32[N]) -> f32[N] { param w: f32 = ones return x * w }
    train t { ${data} minimize ${loss} over A by sgd(lr = 1) }`;
  const losses = (loss: string, data: string, inputs: Record<string, ReturnType<typeof f32>>) =>
    interpret(moduleOf(train(loss, data)).trains[0]!.evaluate, { ...inputs, 'A.w': scalar(1) }).loss![0]!;

  test('cross entropy is the mean of -log softmax at the label', () => {
    const p = f32([2, 3], [1, 2, 3, 0, 0, 5]);
    const y = i32([2], [0, 2]);
    const row = (r: number[], k: number) => Math.log(r.reduce((s, v) => s + Math.exp(v), 0)) - r[k]!;
    const want = (row([1, 2, 3], 0) + row([0, 0, 5], 2)) / 2;
    const data = 'data p: f32[N, 3] data y: i32[N] data x: f32[N]';
    const inputs = { p, y, x: f32([2], [0, 0]) };
    expect(losses('cross_entropy(p, y) + sum(A(x))', data, inputs)).toBeCloseTo(want, 12);
  });

  test('cross entropy over positions, with the class axis anywhere', () => {
    const p = f32([1, 2, 2], [1, 2, 3, 5]);
    const y = i32([1, 2], [0, 1]);
    const inputs = { p, y, x: f32([1], [0]) };
    const data = 'data p: f32[N, 2, 2] data y: i32[N, 2] data x: f32[N]';
    const soft = (a: number, b: number) => Math.log(Math.exp(a) + Math.exp(b)) - a;
    expect(losses('cross_entropy(p, y) + sum(A(x))', data, inputs)).toBeCloseTo(
      (soft(1, 3) + soft(5, 2)) / 2,
      12,
    );
    expect(losses('cross_entropy(p, y, axis = 2) + sum(A(x))', data, inputs)).toBeCloseTo(
      (soft(1, 2) + soft(5, 3)) / 2,
      12,
    );
  });

  test('binary and regression losses', () => {
    const p = f32([2], [0.25, 0.5]);
    const inputs = { p, x: f32([2], [1, 0]) };
    const data = 'data p: f32[N] data x: f32[N]';
    expect(losses('bce(p, A(x))', data, inputs)).toBeCloseTo(-(Math.log(0.25) + Math.log(0.5)) / 2, 9);
    expect(losses('mse(p, A(x))', data, inputs)).toBeCloseTo((0.75 ** 2 + 0.25) / 2, 12);
    expect(losses('mae(p, A(x))', data, inputs)).toBeCloseTo((0.75 + 0.5) / 2, 12);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const logits = -(Math.log(sigmoid(0.25)) + Math.log(1 - sigmoid(0.5))) / 2;
    expect(losses('bce_logits(p, A(x))', data, inputs)).toBeCloseTo(logits, 9);
  });
});

describe('layers', () => {
  const ramp = (n: number) => Array.from({ length: n }, (_, i) => i);

  test('pooling', () => {
    const image = f32([1, 1, 4, 4], ramp(16));
    const of = (expr: string) => value(expr, { x: image }, '', 'x: f32[N, 1, 4, 4]');
    expect(of('avg_pool(x, 2)')).toEqual([2.5, 4.5, 10.5, 12.5]);
    expect(of('max_pool(x, 2)')).toEqual([5, 7, 13, 15]);
    expect(of('max_pool(x, 3, stride = 2, pad = 1)')).toEqual([5, 7, 13, 15]);
    expect(of('global_avg_pool(x)')).toEqual([7.5]);
    expect(of('x -> flatten')).toEqual(ramp(16));
  });

  test('convolution with given weights, stride, padding and bias', () => {
    const got = value(
      'conv2d(x, w, bias, stride = 2, pad = 1)',
      { x: f32([1, 1, 3, 3], ramp(9)), w: f32([1, 1, 3, 3], new Array(9).fill(1)), bias: f32([1], [0.5]) },
      '',
      'x: f32[N, 1, 3, 3], w: f32[1, 1, 3, 3], bias: f32[1]',
    );
    expect(got).toEqual([8.5, 12.5, 20.5, 24.5]);
  });

  test('kernel, stride and padding differ between axes', () => {
    const module = moduleOf(
      'net A(x: f32[N, 2, 8, 9]) -> f32[N, 3, 4, 9] { return x -> conv(3, [3, 5], stride = [2, 1], pad = [1, 2]) }',
    );
    expect(module.nets[0]!.init.outputs.map(o => o.value.type.shape.map(d => d.key).join('x'))).toEqual([
      '3x2x3x5',
      '3',
    ]);
  });

  test('shift moves every image by its own amount and fills with zeros', () => {
    const got = value(
      'shift(x, dy, dx)',
      { x: f32([2, 1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), dy: i32([2], [1, 0]), dx: i32([2], [0, -1]) },
      '',
      'x: f32[N, 1, 2, 2], dy: i32[N], dx: i32[N]',
    );
    expect(got).toEqual([0, 0, 1, 2, 6, 0, 8, 0]);
  });
});
