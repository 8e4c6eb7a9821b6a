import type { Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';

/** Taps of the filters. */
export const taps = 3;

/**
 * Winograd's minimal filtering F(m, 3): m outputs of a filter of three taps with m + 2 products instead of 3 m (Lavin and
 * Gray, 2016: Fast Algorithms for Convolutional Neural Networks). All three transforms are linear, so in two dimensions
 * they are applied to the columns and then to the rows.
 */
export interface MinimalFiltering {
  /** m: outputs of a tile. */
  readonly outputs: number;
  /** m + 2: inputs of a tile, and products. */
  readonly points: number;
  /** Inputs to points. */
  readonly input: Transform;
  /** Taps to points. */
  readonly filter: Transform;
  /** Products at the points to outputs. */
  readonly output: Transform;
}

type Transform = (line: readonly Expr[]) => Expr[];

const times = (factor: number, x: Expr): Expr => (factor === 1 ? x : E.mul(E.constant(factor, x.dtype), x));
const sum = (...terms: readonly Expr[]): Expr => terms.reduce(E.add);

/** Interpolation at 0, 1, -1 and infinity: sums and halves alone, about as exact as the filter itself. */
const two: MinimalFiltering = {
  outputs: 2,
  points: 4,
  input: ([d0, d1, d2, d3]) => [E.sub(d0!, d2!), E.add(d1!, d2!), E.sub(d2!, d1!), E.sub(d3!, d1!)],
  filter: ([g0, g1, g2]) => {
    const ends = times(1 / 2, E.add(g0!, g2!));
    const middle = times(1 / 2, g1!);
    return [g0!, E.add(ends, middle), E.sub(ends, middle), g2!];
  },
  output: ([m0, m1, m2, m3]) => [sum(m0!, m1!, m2!), E.add(E.sub(m1!, m2!), m3!)],
};

/** Interpolation at 0, 1, -1, 2, -2 and infinity: the fewest products, a digit less. */
const four: MinimalFiltering = {
  outputs: 4,
  points: 6,
  input: ([d0, d1, d2, d3, d4, d5]) => {
    const even = E.sub(d4!, times(4, d2!));
    const odd = E.sub(d3!, times(4, d1!));
    const even2 = E.sub(d4!, d2!);
    const odd2 = times(2, E.sub(d3!, d1!));
    return [
      sum(E.sub(times(4, d0!), times(5, d2!)), d4!),
      E.add(even, odd),
      E.sub(even, odd),
      E.add(even2, odd2),
      E.sub(even2, odd2),
      sum(E.sub(times(4, d1!), times(5, d3!)), d5!),
    ];
  },
  filter: ([g0, g1, g2]) => {
    const ends = times(-1 / 6, E.add(g0!, g2!));
    const middle = times(1 / 6, g1!);
    const ends2 = E.add(times(1 / 24, g0!), times(1 / 6, g2!));
    const middle2 = times(1 / 12, g1!);
    return [
      times(1 / 4, g0!),
      E.sub(ends, middle),
      E.add(ends, middle),
      E.add(ends2, middle2),
      E.sub(ends2, middle2),
      g2!,
    ];
  },
  output: ([m0, m1, m2, m3, m4, m5]) => {
    const same = E.add(m1!, m2!);
    const other = E.sub(m1!, m2!);
    const same2 = E.add(m3!, m4!);
    const other2 = E.sub(m3!, m4!);
    return [
      sum(m0!, same, same2),
      E.add(other, times(2, other2)),
      E.add(same, times(4, same2)),
      sum(other, times(8, other2), m5!),
    ];
  },
};

/** Those that a program may take, the one with the fewest products first. */
export const algorithms: readonly MinimalFiltering[] = [four, two];

/** A transform of both dims: `at(row, column)` to `[row][column]`. */
export function inTwoDims(
  transform: Transform,
  size: number,
  at: (row: number, column: number) => Expr,
): Expr[][] {
  const line = Array.from({ length: size }, (_, i) => i);
  const columns = line.map(column => transform(line.map(row => at(row, column))));
  return columns[0]!.map((_, row) => transform(columns.map(c => c[row]!)));
}
