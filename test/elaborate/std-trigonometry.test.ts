import { expect, test } from 'vitest';
import { f32, interpret, moduleOf } from './helpers.ts';

const near = [-0.9, -0.4, -0.19, -0.01, 0, 0.05, 0.3, 0.7];
const any = [...near, -20, -3, -1.5, 1.2, 6, 30];
const above = [1.01, 1.5, 3, 40];

/** Functions, where they are tried, and their slopes. */
const functions: readonly (readonly [
  string,
  (x: number) => number,
  readonly number[],
  (x: number) => number,
])[] = [
  ['atan', Math.atan, any, x => 1 / (1 + x * x)],
  ['tan', Math.tan, near, x => 1 / Math.cos(x) ** 2],
  ['asin', Math.asin, near, x => 1 / Math.sqrt(1 - x * x)],
  ['acos', Math.acos, near, x => -1 / Math.sqrt(1 - x * x)],
  ['sinh', Math.sinh, any, Math.cosh],
  ['cosh', Math.cosh, any, Math.sinh],
  ['asinh', Math.asinh, any, x => 1 / Math.sqrt(1 + x * x)],
  ['acosh', Math.acosh, above, x => 1 / Math.sqrt(x * x - 1)],
  ['atanh', Math.atanh, near, x => 1 / (1 - x * x)],
];

test.each(functions)('%s and its gradient', (name, of, points, slope) => {
  const n = points.length;
  const module = moduleOf(
    `net A(x: f32[${n}]) -> (y: f32[${n}], g: f32[${n}]) { y = ${name}(x)\n return y, grad(sum(y), x) }`,
  );
  const { y, g } = interpret(module.nets[0]!.predict, { x: f32([n], points) });
  points.forEach((x, i) => {
    expect(Math.abs(y![i]! - of(x)), `${name}(${x})`).toBeLessThan(1e-6 * Math.max(Math.abs(of(x)), 1e-3));
    expect(Math.abs(g![i]! - slope(x)), `slope at ${x}`).toBeLessThan(2e-4 * Math.max(Math.abs(slope(x)), 1));
  });
});

test('atan2 in all quarters and on the axes', () => {
  const points = [-2, -1, -0.3, 0, 0.5, 1, 3];
  const pairs = points.flatMap(y => points.map(x => [y, x] as const));
  const n = pairs.length;
  const module = moduleOf(`net A(y: f32[${n}], x: f32[${n}]) -> f32[${n}] = B()
block B()(y: f32[M], x: f32[M]) -> f32[M] { return atan2(y, x) }`);
  const given = {
    y: f32(
      [n],
      pairs.map(p => p[0]),
    ),
    x: f32(
      [n],
      pairs.map(p => p[1]),
    ),
  };
  const [angles] = Object.values(interpret(module.nets[0]!.predict, given));
  pairs.forEach(([y, x], i) => {
    expect(angles![i], `atan2(${y}, ${x})`).toBeCloseTo(Math.atan2(y, x), 9);
  });
});
