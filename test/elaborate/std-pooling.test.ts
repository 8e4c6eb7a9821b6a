import { describe, expect, test } from 'vitest';
import { f32, i32 } from './helpers.ts';
import { average, inTraining, near, numbers, range, total, value } from './library.ts';

describe('pooling', () => {
  const x = numbers([1, 2, 7]);
  /** Of each window what it sees, as positions of x; every position may lie in the padding. */
  const pooled = (
    windows: number,
    span: (q: number) => number[],
    of: (seen: number[], taps: number) => number,
  ) =>
    range(2).flatMap(c =>
      range(windows).map(q => {
        const inside = span(q).filter(i => i >= 0 && i < 7);
        return of(
          inside.map(i => x.data[c * 7 + i]!),
          span(q).length,
        );
      }),
    );
  const max = (list: number[]) => Math.max(...list);
  const window = (q: number, kernel: number, stride: number, pad: number) =>
    range(kernel).map(k => q * stride + k - pad);

  test('max with dilation and with a last window that overhangs', () => {
    near(
      value('max_pool(x, 3, stride = 1, dilation = 2)', { x }),
      pooled(3, q => [q, q + 2, q + 4], max),
    );
    near(
      value('max_pool(x, 2, ceil = true)', { x }),
      pooled(4, q => window(q, 2, 2, 0), max),
    );
    near(value('max_pool(x, 2)', { x }).slice(0, 3), pooled(3, q => window(q, 2, 2, 0), max).slice(0, 3));
  });

  test('indices and unpooling', () => {
    const image = f32([1, 1, 2, 4], [1, 5, 2, 2, 3, 4, 7, 6]);
    const text = 'max_pool_indices(x, 2)';
    near(value(`cast(${text}.index, f32)`, { x: image }), [1, 6]);
    near(value(`max_unpool(${text}.y, ${text}.index, 2)`, { x: image }), [0, 5, 0, 0, 0, 0, 7, 0]);
    const long = f32([1, 1, 5], [1, 2, 3, 9, 8]);
    near(value(`max_unpool(${text}.y, ${text}.index, 2, size = 5)`, { x: long }), [0, 2, 0, 9, 0]);
  });

  test('means: padding in or out, overhanging windows, another divisor', () => {
    const span = (q: number) => window(q, 3, 2, 1);
    near(
      value('avg_pool(x, 3, stride = 2, pad = 1)', { x }),
      pooled(4, span, seen => total(seen) / 3),
    );
    near(
      value('avg_pool(x, 3, stride = 2, pad = 1, count_pad = false)', { x }),
      pooled(4, span, seen => average(seen)),
    );
    near(
      value('avg_pool(x, 3, stride = 2, pad = 1, divisor = 5)', { x }),
      pooled(4, span, seen => total(seen) / 5),
    );
    // The last window, of positions 6, 7 and 8, reaches past the end.
    near(
      value('avg_pool(x, 3, stride = 3, ceil = true)', { x }),
      pooled(3, q => window(q, 3, 3, 0), average),
    );
    // Of 8 = 7 + 1 padded positions the last window sees two.
    near(
      value('avg_pool(x, 3, stride = 3, pad = 1, ceil = true)', { x }),
      pooled(
        3,
        q => window(q, 3, 3, 1),
        seen => total(seen) / 3,
      ),
    );
    near(
      value('avg_pool(x, 4, stride = 3, pad = 1, ceil = true)', { x }),
      pooled(
        3,
        q => window(q, 4, 3, 1).filter(i => i < 8),
        (seen, taps) => total(seen) / taps,
      ),
    );
  });

  test('two spatial axes count as a product', () => {
    const image = f32([1, 1, 3, 3], new Array(9).fill(1));
    near(
      value('avg_pool(x, 2, stride = 2, pad = [1, 0], ceil = true, count_pad = false)', { x: image }),
      [1, 1, 1, 1],
    );
    near(value('avg_pool(x, 2, stride = 2, pad = 1, ceil = true)', { x: image }), [0.25, 0.5, 0.5, 1]);
  });

  test('powers and everything at once', () => {
    near(
      value('lp_pool(x, 3, 2)', { x }),
      pooled(
        3,
        q => window(q, 2, 2, 0),
        seen => total(seen.map(v => Math.abs(v) ** 3)) ** (1 / 3),
      ),
    );
    near(
      value('global_max_pool(x)', { x }),
      pooled(1, () => range(7), max),
    );
  });

  test.each([1, 3, 4, 7])('adaptive, to %i', n => {
    const span = (q: number) =>
      range(Math.ceil(((q + 1) * 7) / n) - Math.floor((q * 7) / n)).map(k => Math.floor((q * 7) / n) + k);
    near(value(`adaptive_avg_pool(x, ${n})`, { x }), pooled(n, span, average));
    near(value(`adaptive_max_pool(x, ${n})`, { x }), pooled(n, span, max));
  });

  test('stochastic pooling draws in proportion, and weighs outside training', () => {
    const pair = f32([1, 1, 2], [1, 3]);
    near(value('x -> stochastic_pool(2)', { x: pair }), [(1 + 9) / 4]);
    const many = f32(
      [1, 1, 4000],
      range(4000).map(i => (i % 2 ? 3 : 1)),
    );
    const drawn = inTraining('mean(x -> stochastic_pool(2))', { x: many });
    expect(drawn).toBeGreaterThan(2.4);
    expect(drawn).toBeLessThan(2.6);
  });

  test('fractional pooling covers the image with windows of its size', () => {
    const image = f32([1, 1, 7, 7], range(49));
    const mean = inTraining('mean(x -> fractional_max_pool(2, [5, 5]))', { x: image });
    expect(mean).toBeGreaterThan(24);
    expect(mean).toBeLessThan(40);
    const got = value('x -> fractional_max_pool(2, 5)', { x: image });
    expect(got.length).toBe(25);
    expect(got[0]).toBe(8);
    expect(got[24]).toBe(48);
  });
});

describe('indices', () => {
  test('take, cut, flip, repeat_each', () => {
    const x = f32([2, 3], [1, 2, 3, 4, 5, 6]);
    near(value('take(x, at, 1)', { x, at: i32([4], [2, 0, 0, 9]) }), [3, 1, 1, 3, 6, 4, 4, 6]);
    near(value('cut(x, -1, 1, 3)', { x }), [2, 3, 5, 6]);
    near(value('flip(x, 0)', { x }), [4, 5, 6, 1, 2, 3]);
    near(value('repeat_each(x, 2, 1)', { x }), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
  });

  test('topk sorts, and of equals the first comes first', () => {
    const x = f32([2, 4], [3, 7, 7, 1, -1, -4, -2, -3]);
    near(value('topk(x, 3).values', { x }), [7, 7, 3, -1, -2, -3]);
    near(value('cast(topk(x, 3).index, f32)', { x }), [1, 2, 0, 0, 2, 3]);
    near(value('grad(sum(topk(x, 2).values), x)', { x }), [0, 1, 1, 0, 1, 0, 1, 0]);
  });

  test('log_sum_exp', () => {
    const x = f32([2, 2], [1000, 1000, 0, 1]);
    near(value('log_sum_exp(x, axis = 1)', { x }), [1000 + Math.log(2), Math.log(1 + Math.E)]);
    near(value('log_sum_exp(x, axis = 1, keep = true)', { x }), [1000 + Math.log(2), Math.log(1 + Math.E)]);
  });
});
