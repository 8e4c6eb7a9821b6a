import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { align, alignment } from './storage.ts';

/** Memory wanted from dispatch `from` to dispatch `to`, both included. */
export interface Demand {
  readonly bytes: Dim;
  readonly from: number;
  readonly to: number;
}

export interface Placement {
  /** Byte offsets, parallel to the demands; multiples of 256 for all sizes. */
  readonly offsets: readonly Dim[];
  readonly bytes: Dim;
}

/**
 * Places demands so that no two that live at the same time overlap, whatever the free dims are. Each size is
 * written as content * polynomial with the coefficients' greatest common divisor pulled out. Demands of one
 * polynomial p share a part of the arena in which every offset and size is a number times p, so a packing of those
 * numbers holds for all p >= 1; the parts lie one after the other, constants (p = 1) first.
 */
export function place(demands: readonly Demand[]): Placement {
  const groups = new Map<string, { polynomial: Dim; members: number[] }>();
  const one = D.constant(1);
  groups.set(one.key, { polynomial: one, members: [] });
  const units = demands.map(({ bytes }, i) => {
    const { content, polynomial } = primitivePart(bytes);
    const group = groups.get(polynomial.key);
    if (group) group.members.push(i);
    else groups.set(polynomial.key, { polynomial, members: [i] });
    return Math.max(alignment, align(content));
  });

  const offsets: Dim[] = [];
  let base = D.constant(0);
  for (const { polynomial, members } of groups.values()) {
    const packed = bestFit(members.map(i => ({ ...demands[i]!, size: units[i]! })));
    members.forEach((i, at) => {
      offsets[i] = D.add(base, D.scale(polynomial, packed.offsets[at]!));
    });
    base = D.add(base, D.scale(polynomial, packed.size));
  }
  return { offsets, bytes: base };
}

/** d = content * polynomial, content > 0, the polynomial's coefficients without a common divisor. */
export function primitivePart(d: Dim): { content: number; polynomial: Dim } {
  const value = D.constantValue(d);
  if (value !== undefined) return { content: value, polynomial: D.constant(1) };
  const content = d.terms.map(t => Math.abs(t.coefficient)).reduce(gcd);
  return { content, polynomial: D.divideExact(d, D.constant(content))! };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

interface Sized {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Offline packing of intervals: the largest first, each into the smallest gap between those already placed that
 * live at the same time, else behind them. ("Greedy by size" of Pisarchyk and Lee: "Efficient memory management
 * for deep neural net inference", 2020.)
 */
export function bestFit(items: readonly Sized[]): { offsets: number[]; size: number } {
  const order = items
    .map((item, i) => ({ item, i }))
    .sort((a, b) => b.item.size - a.item.size || a.item.from - b.item.from || a.i - b.i);
  const offsets: number[] = [];
  // What is placed, by offset. Plain arrays of numbers: this loop meets all pairs of a deep net's tensors.
  const [starts, ends, froms, tos] = [0, 1, 2, 3].map(() => new Float64Array(items.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let size = 0;
  order.forEach(({ item, i }, placed) => {
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let end = 0;
    for (let k = 0; k < placed; k++) {
      if (froms[k]! > item.to || tos[k]! < item.from) continue;
      const gap = starts[k]! - end;
      if (gap >= item.size && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      if (ends[k]! > end) end = ends[k]!;
    }
    const offset = best >= 0 ? best : end;
    offsets[i] = offset;
    size = Math.max(size, offset + item.size);
    let at = placed;
    while (at > 0 && starts[at - 1]! > offset) at--;
    for (const list of [starts, ends, froms, tos]) list.copyWithin(at + 1, at, placed);
    starts[at] = offset;
    ends[at] = offset + item.size;
    froms[at] = item.from;
    tos[at] = item.to;
  });
  return { offsets, size };
}
