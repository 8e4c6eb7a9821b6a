import { describe, expect, test } from 'vitest';
import { f32, i32, interpret, moduleOf, run, show } from './helpers.ts';

const x = f32([2, 3], [1, -2, 3, 0.5, 4, -6]);

function pick(expr: string, t: ReturnType<typeof i32>): number[] {
  const type = `i32${t.shape.length > 0 ? `[${t.shape.map((_, i) => `K${i}`).join(', ')}]` : ''}`;
  const text = `net A(x: f32[N, M], t: ${type}) -> f32[...] { return ${expr} }`;
  return interpret(moduleOf(text).nets[0]!.predict, { x, t }).out!;
}

describe('indexing with a tensor of positions', () => {
  test.each<[string, ReturnType<typeof i32>, number[]]>([
    ['x[t]', i32([], [1]), [0.5, 4, -6]],
    ['x[t]', i32([3], [1, 0, 1]), [0.5, 4, -6, 1, -2, 3, 0.5, 4, -6]],
    ['x[:, t]', i32([2], [2, 0]), [3, 1, -6, 0.5]],
    ['x[..., t]', i32([], [1]), [-2, 4]],
    ['x[-1, t]', i32([2], [2, 2]), [-6, -6]],
    ['x[t, 1:]', i32([1, 2], [1, 0]), [4, -6, -2, 3]],
    // What lies outside is brought to the nearest end.
    ['x[t]', i32([2], [-1, 9]), [1, -2, 3, 0.5, 4, -6]],
  ])('%s by %j', (expr, t, expected) => {
    expect(pick(expr, t)).toEqual(expected);
  });

  test("the positions' axes take the place of the one that they pick from", () => {
    const text = 'net A(x: f32[N, 5, M], t: i32[K, L]) -> f32[N, K, L, M] { return x[:, t] }';
    expect(run(text).diagnostics.map(show)).toEqual([]);
  });

  test('the gradient is added up where a position comes twice', () => {
    const text = 'net A(x: f32[N, M], t: i32[K]) -> f32[N, M] { return grad(sum(x[t] ^ 2), x) }';
    const { predict } = moduleOf(text).nets[0]!;
    const { out } = interpret(predict, { x, t: i32([3], [1, 0, 1]) });
    expect(out).toEqual([2, -4, 6, 2, 16, -24]);
  });

  test.each([
    ['x[x]', 'E0203 positions must be integers, not f32[N, M] at "x"'],
    ['x[t, t]', 'E0201 one index at a time may be a tensor at "x[t, t]"'],
    ['x[0:t]', 'E0201 an index must be a whole number'],
  ])('%s is an error', (expr, expected) => {
    const text = `net A(x: f32[N, M], t: i32[K]) -> f32[...] { return ${expr} }`;
    expect(run(text).diagnostics.map(show).join()).toContain(expected);
  });
});
