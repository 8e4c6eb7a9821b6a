import type { NdArray } from '../../src/ir/primitive.ts';

/** A small deterministic generator of numbers in [-1, 1), so that a failing seed repeats. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function randomLike(x: NdArray, next: () => number): NdArray {
  return { ...x, data: x.data.map(next) };
}

/** x + step * direction. */
export function moved(x: NdArray, direction: NdArray, step: number): NdArray {
  return { ...x, data: x.data.map((v, i) => v + step * direction.data[i]!) };
}

export function dot(x: NdArray, y: NdArray): number {
  return x.data.reduce((sum, v, i) => sum + v * y.data[i]!, 0);
}

/** The sum of |x y|: the scale that rounding errors of `dot` have. */
export function dotScale(x: NdArray, y: NdArray): number {
  return x.data.reduce((sum, v, i) => sum + Math.abs(v * y.data[i]!), 0);
}

/** The fourth-order central difference of f at 0. */
export function slope(f: (step: number) => number, h = 1e-4): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

/** Where two arrays differ by more than the tolerance, relative above 1; undefined if nowhere. */
export function difference(actual: NdArray, expected: NdArray, tolerance: number): string | undefined {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join())
    return `${actual.dtype}[${actual.shape.join()}] against ${expected.dtype}[${expected.shape.join()}]`;
  const bad = expected.data.findIndex((e, i) => {
    const a = actual.data[i]!;
    return !(Object.is(a, e) || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e)));
  });
  return bad < 0 ? undefined : `element ${bad}: ${actual.data[bad]} against ${expected.data[bad]}`;
}
