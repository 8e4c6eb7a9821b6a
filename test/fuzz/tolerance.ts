import type { NdArray } from '../../src/ir/primitive.ts';
import { isFloat } from '../../src/ir/type.ts';

type Arrays = Readonly<Record<string, NdArray>>;

/**
 * How much an array changes where it may: `rounding` when all of it is computed in f32, `moving` when the inputs move
 * by a billionth. An array that changes a lot says nothing about a compiler: a comparison flipped, or it is no number.
 */
export interface Steadiness {
  readonly rounding: number;
  readonly moving: number;
  readonly scale: number;
}

export function steadiness(base: Arrays, rounded: Arrays, moved: Arrays): Map<string, Steadiness> {
  return new Map(
    Object.entries(base).map(([name, x]) => {
      const scale = x.data.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      return [
        name,
        { rounding: distance(rounded[name]!, x), moving: distance(moved[name]!, x), scale },
      ] as const;
    }),
  );
}

/** The largest distance of two elements; infinite where one is no number. */
function distance(a: NdArray, b: NdArray): number {
  return b.data.reduce((m, v, i) => {
    const d = Math.abs(v - a.data[i]!);
    return Number.isFinite(d) ? Math.max(m, d) : Infinity;
  }, 0);
}

export const isUnsteady = ({ rounding, moving, scale }: Steadiness): boolean =>
  !(rounding <= 1e-4 * scale && moving <= 1e-6 * scale && scale < 1e30);

/**
 * Where an array differs from what it should be; undefined if nowhere. Integers and bools must be equal. Interpreters
 * compute in f64, but the compiler rounds the constants that it folds to f32, as the device would.
 */
export function differenceOf(
  actual: NdArray | undefined,
  expected: NdArray,
  steady: Steadiness,
  kind: 'f64' | 'device',
): string | undefined {
  if (!actual) return 'is missing';
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join())
    return `${actual.dtype}[${actual.shape.join()}] against ${expected.dtype}[${expected.shape.join()}]`;
  const [relative, more] = kind === 'f64' ? [1e-6, 3] : [1e-4, 20];
  const bad = expected.data.findIndex((e, i) => {
    const a = actual.data[i]!;
    if (!isFloat(expected.dtype)) return a !== e;
    return !(Math.abs(a - e) <= relative * Math.max(1, Math.abs(e)) + more * steady.rounding);
  });
  return bad < 0
    ? undefined
    : `element ${bad} of ${expected.data.length}: ${actual.data[bad]} against ${expected.data[bad]}`;
}
