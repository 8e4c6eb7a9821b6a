import type * as fc from 'fast-check';
import { ndarray, size } from '../ir/ndarray.ts';
import type { NdArray } from '../ir/primitive.ts';
import type { DType } from '../ir/type.ts';

/** Arbitraries that the ops' samples are made of. fast-check comes as an argument: only tests depend on it. */
type FC = typeof fc;

/** Shapes of small tensors: odd sizes, size 1, and now and then an empty axis. */
export function shapes(
  fc: FC,
  { minRank = 0, maxRank = 3, empty = true }: { minRank?: number; maxRank?: number; empty?: boolean } = {},
): fc.Arbitrary<number[]> {
  const usual = { weight: 12, arbitrary: fc.integer({ min: 1, max: 5 }) };
  const none = { weight: 1, arbitrary: fc.constant(0) };
  const extent = empty ? fc.oneof(usual, none) : usual.arbitrary;
  return fc.array(extent, { minLength: minRank, maxLength: maxRank });
}

/** An array of the shape, its elements from `value`. */
export function filledWith(
  fc: FC,
  shape: readonly number[],
  value: fc.Arbitrary<number>,
  dtype: DType = 'f32',
): fc.Arbitrary<NdArray> {
  const count = size(shape);
  return fc.array(value, { minLength: count, maxLength: count }).map(values => ndarray(dtype, shape, values));
}

/** Floats in [-2, 2] off any grid, so that two of them are hardly ever close to a tie. */
export function floats(fc: FC, min = -2, max = 2): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 1 << 24 }).map(k => min + ((max - min) * k) / (1 << 24));
}

/** Floats at least 1/20 away from every multiple of 1/2. */
export function awayFromKinks(fc: FC, min = -2, max = 2): fc.Arbitrary<number> {
  return fc
    .tuple(fc.integer({ min: min * 2, max: max * 2 - 1 }), floats(fc, 0.1, 0.9))
    .map(([cell, inside]) => (cell + inside) / 2);
}

/** A few multiples of 1/2: kinks, ties and zeros on purpose. */
export function kinks(fc: FC): fc.Arbitrary<number> {
  return fc.constantFrom(0, 0.5, -0.5, 1, -1, 1.5, -1.5);
}

export function integers(fc: FC, min = -9, max = 9): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}

/** Distinct multiples of 1/8 in random order: extremes without a tie, 1/8 apart. */
export function distinct(fc: FC, shape: readonly number[], dtype: DType = 'f32'): fc.Arbitrary<NdArray> {
  const count = size(shape);
  const all = Array.from({ length: count }, (_, i) => (i - (count >> 1)) / 8);
  return fc
    .shuffledSubarray(all, { minLength: count, maxLength: count })
    .map(values => ndarray(dtype, shape, values));
}
