import { expect } from 'vitest';
import type { NdArray } from '../../src/ir/primitive.ts';
import { f32, interpret, key, moduleOf, stepOf } from './helpers.ts';

const declare = (inputs: Record<string, NdArray>) =>
  Object.entries(inputs).map(([name, a]) => {
    const sizes = a.shape.length > 0 ? `[${a.shape.join(', ')}]` : '';
    return `${name}: ${a.dtype}${sizes}`;
  });

/** The value of an expression of inputs of fixed sizes, in inference. Parameters of layers come by their path. */
export function value(
  expr: string,
  inputs: Record<string, NdArray>,
  weights: Record<string, NdArray> = {},
): number[] {
  const text = `net A(${declare(inputs).join(', ')}) -> f32[...] { y = ${expr} return y }`;
  return interpret(moduleOf(text).nets[0]!.predict, { ...inputs, ...weights }).out!;
}

/** One number of an expression in a training step; every seed draws other random numbers. */
export function inTraining(expr: string, inputs: Record<string, NdArray>, seed = 1): number {
  const data = declare(inputs).map(d => `data ${d}`);
  const text = `net A(x: f32[1]) -> f32[1] { param w: f32 = ones return x * w }
    train t { ${data.join(' ')} data one: f32[1]
      metric value = ${expr}
      minimize sum(A(one)) over A by sgd(lr = 1) }`;
  const step = stepOf(moduleOf(text).trains[0]!);
  const all = { ...inputs, one: f32([1], [1]), key: key(seed), 'A.w': f32([], [1]) };
  return interpret(step, all).value![0]!;
}

export function near(got: readonly number[], want: readonly number[], digits = 9): void {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, digits);
  });
}

/** Numbers in -2 .. 2 that repeat, without a pattern that a mistake could hide behind. */
export function numbers(shape: readonly number[], seed = 1): NdArray {
  let state = seed * 7919 + 17;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return Math.round((state / 2147483647) * 400 - 200) / 100;
  };
  const count = shape.reduce((n, d) => n * d, 1);
  return f32(shape, Array.from({ length: count }, next));
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
export const total = (list: readonly number[]): number => list.reduce((s, v) => s + v, 0);
export const average = (list: readonly number[]): number => total(list) / list.length;
