import { describe, expect, test } from 'vitest';
import { unaryTable } from '../../src/ir/scalar.ts';
import { f32, i32, interpret, key, moduleOf, run, show, stepOf } from './helpers.ts';
import { average, inTraining, near, numbers, range, total, value } from './library.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const { erf } = unaryTable;

describe('activations', () => {
  const x = f32([8], [-7, -3, -1.5, -0.25, 0.25, 1.5, 3, 7]);
  test.each<[string, (v: number) => number]>([
    ['erf(x)', erf],
    ['heaviside(x)', v => (v >= 0 ? 1 : 0)],
    ['log_sigmoid(x)', v => Math.log(sigmoid(v))],
    ['softplus(x, beta = 3)', v => Math.log(1 + Math.exp(3 * v)) / 3],
    ['softsign(x)', v => v / (1 + Math.abs(v))],
    ['relu6(x)', v => Math.min(Math.max(v, 0), 6)],
    ['celu(x, alpha = 2)', v => (v > 0 ? v : 2 * (Math.exp(v / 2) - 1))],
    ['selu(x)', v => 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * (Math.exp(v) - 1))],
    ['gelu(x)', v => 0.5 * v * (1 + erf(v / Math.SQRT2))],
    ['mish(x)', v => v * Math.tanh(Math.log(1 + Math.exp(v)))],
    ['hard_sigmoid(x)', v => Math.min(Math.max(v / 6 + 0.5, 0), 1)],
    ['hard_swish(x)', v => v * Math.min(Math.max(v / 6 + 0.5, 0), 1)],
    ['hard_tanh(x)', v => Math.min(Math.max(v, -1), 1)],
    ['parametric_relu(reshape(x, 2, 4), slope)', v => (v > 0 ? v : 0.5 * v)],
  ])('%s', (expr, f) => near(value(expr, { x, slope: f32([1], [0.5]) }), [...x.data].map(f)));

  test('erf at known points', () => {
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(erf(-1)).toBeCloseTo(-0.8427007929497149, 14);
    expect(erf(3)).toBeCloseTo(0.9999779095030014, 14);
    expect(erf(9)).toBe(1);
  });

  test('prelu has one slope or one per channel', () => {
    const v = f32([1, 2], [-1, -2]);
    near(value('x -> prelu', { x: v }, { 'A.prelu.weight': f32([1], [0.25]) }), [-0.25, -0.5]);
    const two = { 'A.prelu.weight': f32([2], [0.25, 3]) };
    near(value('x -> prelu(shared = false)', { x: v }, two), [-0.25, -6]);
  });

  test('glu', () => near(value('glu(x)', { x: f32([1, 4], [1, 2, 0, 3]) }), [0.5, 2 * sigmoid(3)]));
});

describe('normalisation', () => {
  const x = numbers([2, 4, 3]);
  const at = (n: number, c: number, i: number) => x.data[(n * 4 + c) * 3 + i]!;
  const standard = (list: number[], v: number, eps = 1e-5) => {
    const m = average(list);
    return (v - m) / Math.sqrt(average(list.map(u => (u - m) ** 2)) + eps);
  };
  const all = (f: (n: number, c: number, i: number) => number) =>
    range(2).flatMap(n => range(4).flatMap(c => range(3).map(i => f(n, c, i))));
  const four = numbers([4], 5);
  const bias = numbers([4], 6);
  const own = (layer: string, size = 4) => ({
    [`A.${layer}.weight`]: size === 4 ? four : numbers([size], 5),
    [`A.${layer}.bias`]: size === 4 ? bias : numbers([size], 6),
  });

  test('layer_norm, over one axis or more', () => {
    const w = own('layer_norm', 3);
    const [weight, shift] = [w['A.layer_norm.weight']!, w['A.layer_norm.bias']!];
    const row = (n: number, c: number) => range(3).map(i => at(n, c, i));
    near(
      value('x -> layer_norm', { x }, w),
      all((n, c, i) => standard(row(n, c), at(n, c, i)) * weight.data[i]! + shift.data[i]!),
    );
    const plain = { 'A.layer_norm.weight': numbers([4, 3], 7), 'A.layer_norm.bias': numbers([4, 3], 8) };
    const whole = (n: number) => range(4).flatMap(c => row(n, c));
    near(
      value('x -> layer_norm(axes = 2)', { x }, plain),
      all(
        (n, c, i) =>
          standard(whole(n), at(n, c, i)) * plain['A.layer_norm.weight'].data[c * 3 + i]! +
          plain['A.layer_norm.bias'].data[c * 3 + i]!,
      ),
    );
  });

  test('group_norm, instance_norm and rms_norm', () => {
    const group = (n: number, c: number) =>
      range(2).flatMap(k => range(3).map(i => at(n, (c >> 1) * 2 + k, i)));
    near(
      value('x -> group_norm(2)', { x }, own('group_norm')),
      all((n, c, i) => standard(group(n, c), at(n, c, i)) * four.data[c]! + bias.data[c]!),
    );
    const channel = (n: number, c: number) => range(3).map(i => at(n, c, i));
    near(
      value('x -> instance_norm', { x }),
      all((n, c, i) => standard(channel(n, c), at(n, c, i))),
    );
    near(
      value('x -> instance_norm(affine = true)', { x }, own('instance_norm')),
      all((n, c, i) => standard(channel(n, c), at(n, c, i)) * four.data[c]! + bias.data[c]!),
    );
    const weight = numbers([3], 3);
    near(
      value('x -> rms_norm(eps = 0.1)', { x }, { 'A.rms_norm.weight': weight }),
      all((n, c, i) => {
        const square = average(channel(n, c).map(v => v * v));
        return (at(n, c, i) / Math.sqrt(square + 0.1)) * weight.data[i]!;
      }),
    );
  });

  test.each([2, 3, 5])('lrn over %i channels', n => {
    const squares = (b: number, c: number, i: number) =>
      total(
        range(n)
          .map(k => c + k - (n >> 1))
          .filter(k => k >= 0 && k < 4)
          .map(k => at(b, k, i) ** 2),
      );
    near(
      value(`lrn(x, ${n}, alpha = 0.5, beta = 0.6, k = 2)`, { x }),
      all((b, c, i) => at(b, c, i) / (2 + (0.5 / n) * squares(b, c, i)) ** 0.6),
    );
  });

  test('batch_norm keeps running statistics as PyTorch does', () => {
    const module = moduleOf(`net A(x: f32[N, 4, 3]) -> f32[N, 4, 3] { return x -> batch_norm }
      train t { data x: f32[N, 4, 3] minimize mean(A(x) ^ 2) over A by sgd(lr = 0) }`);
    const kept = { 'A.batch_norm.running_mean': four, 'A.batch_norm.running_var': f32([4], [1, 2, 3, 4]) };
    const step = stepOf(module.trains[0]!);
    const out = interpret(step, { x, ...kept, ...own('batch_norm') });
    const name = (target: string) => step.outputs.find(o => o.target === `A.batch_norm.${target}`)!.name;
    const channel = (c: number) => range(2).flatMap(n => range(3).map(i => at(n, c, i)));
    near(
      out[name('running_mean')]!,
      range(4).map(c => 0.9 * four.data[c]! + 0.1 * average(channel(c))),
    );
    const unbiased = (list: number[]) => total(list.map(v => (v - average(list)) ** 2)) / (list.length - 1);
    near(
      out[name('running_var')]!,
      range(4).map(c => 0.9 * (c + 1) + 0.1 * unbiased(channel(c))),
    );
    const want = all((n, c, i) => standard(channel(c), at(n, c, i)) * four.data[c]! + bias.data[c]!);
    expect(out.loss![0]).toBeCloseTo(average(want.map(v => v * v)), 9);
  });
});

describe('layers', () => {
  test('embedding looks rows up', () => {
    const table = numbers([5, 3]);
    const rows = [4, 0, 4, 2].flatMap(r => [...table.data.slice(r * 3, r * 3 + 3)]);
    near(
      value('ids -> embedding(5, 3)', { ids: i32([2, 2], [4, 0, 4, 2]) }, { 'A.embedding.weight': table }),
      rows,
    );
  });

  test('attention', () => {
    const [q, k, v] = [numbers([2, 3]), numbers([4, 3], 2), numbers([4, 2], 3)];
    const got = value('attention(q, k, v)', { q, k, v });
    const want = range(2).flatMap(t => {
      const scores = range(4).map(
        s => total(range(3).map(d => q.data[t * 3 + d]! * k.data[s * 3 + d]!)) / Math.sqrt(3),
      );
      const e = scores.map(Math.exp);
      return range(2).map(j => total(range(4).map(s => (e[s]! / total(e)) * v.data[s * 2 + j]!)));
    });
    near(got, want);
    const bias = f32([4], [0, -1e9, -1e9, -1e9]);
    near(
      value('attention(q, k, v, bias)', { q, k, v, bias }),
      [0, 1, 0, 1].map(j => v.data[j]!),
    );
  });

  test('dropout2d drops whole channels, and nothing outside training', () => {
    const x = f32([40, 50, 2], new Array(4000).fill(1));
    near(value('x -> dropout2d(0.25)', { x }), [...x.data]);
    const layer = (expr: string) => inTraining(expr, { x });
    expect(layer('mean(x -> dropout2d(0.25))')).toBeCloseTo(1, 1);
    const halves = 'y[:, :, 0] - y[:, :, 1]';
    const module =
      moduleOf(`net A(x: f32[40, 50, 2]) -> f32[...] { param w: f32 = ones return x * w -> dropout2d(0.25) }
      train t { data x: f32[40, 50, 2] y = A(x) metric gap = sum(abs(${halves})) metric ones = mean(cast(y > 1, f32))
        minimize sum(y) over A by sgd(lr = 1) }`);
    const { gap, ones } = interpret(stepOf(module.trains[0]!), { x, key: key(), 'A.w': f32([], [1]) });
    expect(gap![0]).toBe(0);
    expect(ones![0]).toBeCloseTo(0.75, 1);
    expect(ones![0]).not.toBe(1);
  });

  test('gaussian_noise has its standard deviation', () => {
    const x = f32([5000], new Array(5000).fill(3));
    expect(inTraining('mean(x -> gaussian_noise(0.5))', { x })).toBeCloseTo(3, 1);
    expect(inTraining('variance(x -> gaussian_noise(0.5))', { x })).toBeCloseTo(0.25, 1);
    near(value('x -> gaussian_noise(0.5)', { x: f32([1], [2]) }), [2]);
  });

  test('a value that no function knows is said at the call', () => {
    const { diagnostics } = run('net A(x: f32[N]) -> f32 { return mse(x, 0, reduction = "avg") }');
    expect(diagnostics.map(show).join()).toMatch(
      /a reduction is "mean", "sum" or "none" at "mse\(x, 0, reduction/,
    );
  });
});
