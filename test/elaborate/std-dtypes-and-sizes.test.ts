import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { f32, i32, interpret, moduleOf } from './helpers.ts';
import { near } from './library.ts';

/** A value of inputs of the declared types, whose sizes are free. */
function free(
  expr: string,
  declared: string,
  inputs: Record<string, NdArray>,
  result = 'f32[...]',
): number[] {
  const text = `net A(${declared}) -> ${result} { return ${expr} }`;
  return interpret(moduleOf(text).nets[0]!.predict, inputs).out!;
}

describe('running sums over a free axis', () => {
  test.each([1, 2, 63, 64, 65, 128, 200])('of %i', n => {
    const x = Array.from({ length: 2 * n }, (_, i) => Math.fround(Math.sin(7 * i)));
    const rows = free('cumsum(x, 1)', 'x: f32[N, L]', { x: f32([2, n], x) });
    const sums = (row: number[]): number[] =>
      row.map((_, i) => row.slice(0, i + 1).reduce((a, b) => a + b, 0));
    near(rows, [...sums(x.slice(0, n)), ...sums(x.slice(n))]);
    const columns = free('cumsum(x, 0)', 'x: f32[L, 2]', { x: f32([n, 2], x) });
    const [even, odd] = [0, 1].map(k => sums(x.filter((_, i) => i % 2 === k)));
    near(
      columns,
      even!.flatMap((v, i) => [v, odd![i]!]),
    );
    // d(sum_j c_j sum_{i <= j} x_i) / dx_i = sum_{j >= i} c_j
    const c = Array.from({ length: n }, (_, i) => i + 1);
    const slopes = free('grad(sum(cumsum(x, 0) * c), x)', 'x: f32[L], c: f32[L]', {
      x: f32([n], x.slice(0, n)),
      c: f32([n], c),
    });
    near(
      slopes,
      c.map((_, i) => c.slice(i).reduce((a, b) => a + b, 0)),
    );
  });
});

describe('functions that rearrange tensors take every dtype', () => {
  const x = i32([2, 3], [1, 2, 3, 4, 5, 6]);
  test.each([
    ['take(x, t, 1)', [3, 1, 6, 4]],
    ['flip(x, 0)', [4, 5, 6, 1, 2, 3]],
    ['cut(x, 1, 1, 3)', [2, 3, 5, 6]],
    ['roll(x, 1, 1)', [3, 1, 2, 6, 4, 5]],
    ['repeat_each(x, 2, 1)', [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]],
    ['swap_axes(x, 0, 1)', [1, 4, 2, 5, 3, 6]],
    ['merge_axes(x)', [1, 2, 3, 4, 5, 6]],
    ['tile(x, [1, 2])', [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]],
  ])('%s', (expr, want) => {
    const t = i32([2], [2, 0]);
    expect(free(expr, 'x: i32[2, 3], t: i32[2]', { x, t }, 'i32[...]')).toEqual(want);
    const bits = { ...x, dtype: 'bool' as const, data: x.data.map(v => v % 2) };
    expect(free(expr, 'x: bool[2, 3], t: i32[2]', { x: bits, t }, 'bool[...]')).toEqual(want.map(v => v % 2));
  });

  test('and what they give holds what was given', () => {
    const text = 'net A(x: u8[3]) -> u8[3] { return flip(x, 0) }';
    const { out } = interpret(moduleOf(text).nets[0]!.predict, { x: ndarray('u8', [3], [1, 2, 255]) });
    expect(out).toEqual([255, 2, 1]);
    expect(() => moduleOf('net A(x: i32[3]) -> f32[3] { return flip(x, 0) }')).toThrow('E0203');
    expect(() => moduleOf('net A(x: any[3]) -> f32[3] { return x }')).toThrow('any');
  });
});

describe('`same` padding', () => {
  const x = f32([1, 1, 4], [1, 2, 3, 4]);
  const weight = f32([1, 1, 2], [1, 10]);
  test.each([
    ['false', [21, 32, 43, 4]],
    ['true', [10, 21, 32, 43]],
  ])('with the odd element first: %s', (first, want) => {
    const expr = `conv1d(x, w, same = true, odd_first = ${first})`;
    near(free(expr, 'x: f32[N, 1, 4], w: f32[1, 1, 2]', { x, w: weight }), want);
  });
});
