import { packExactly } from './exact-packing.ts';

/** Bytes wanted from dispatch `from` to dispatch `to`, both included. */
export interface Sized {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

export interface Packing {
  readonly offsets: readonly number[];
  readonly size: number;
}

/** The most bytes that live at once, which no packing goes below. */
export function mostLive(items: readonly Sized[]): number {
  const events = items.flatMap(({ size, from, to }) => [[from, size] as const, [to + 1, -size] as const]);
  let live = 0;
  let most = 0;
  // Where one ends as another begins, the end comes first.
  for (const [, change] of events.sort(([a, x], [b, y]) => a - b || x - y)) {
    live += change;
    most = Math.max(most, live);
  }
  return most;
}

/** Attempts after the first ones; each takes time that grows with the square of the number of items. */
const attempts = 400;
/** Comparisons of items in all attempts together. */
const effort = 2e8;

/** What is this near to the bound is not searched for anything better. */
const enough = 1.008;

/**
 * Offline packing of intervals. Several orders are tried, each item going into the smallest gap that fits. While the
 * best result is above the bound, what ended up too high goes before all that it met there, and everything is placed
 * anew: the items that are hard to place come first. Where that falls short, there is an exact search. Deterministic,
 * and bounded in its effort.
 */
export function packIntervals(items: readonly Sized[]): Packing {
  const bound = mostLive(items);
  const by = (key: (item: Sized) => number) =>
    items
      .map((_, i) => i)
      .sort((a, b) => key(items[b]!) - key(items[a]!) || items[a]!.from - items[b]!.from || a - b);
  const length = ({ from, to }: Sized): number => to - from + 1;
  const orders = [by(x => x.size), by(x => x.size * length(x)), by(length), by(x => -x.from)];
  let best: Packing | undefined;
  let order = orders[0]!;
  for (const candidate of orders) {
    const packed = bestFit(items, candidate);
    if (best && packed.size >= best.size) continue;
    best = packed;
    order = candidate;
    if (best.size === bound) return best;
  }
  const most = Math.min(attempts, Math.floor(effort / (items.length * items.length + 1)));
  const bumped = new Map<number, number>();
  for (let n = 0, packed = best!; n < most && best!.size > bound; n++) {
    const limit = Math.max(bound, Math.floor(bound * 1.0005));
    const high = order.filter(i => packed.offsets[i]! + items[i]!.size > limit);
    if (high.length === 0) break;
    // Of those, the one that was moved least often: a cycle of two is left in time.
    const chosen = high.reduce((a, b) => ((bumped.get(b) ?? 0) < (bumped.get(a) ?? 0) ? b : a));
    bumped.set(chosen, (bumped.get(chosen) ?? 0) + 1);
    const at = order.indexOf(chosen);
    const first = order.findIndex(
      i => meets(items[i]!, items[chosen]!) && items[i]!.size < 2 * items[chosen]!.size,
    );
    const to = first >= 0 && first < at ? Math.max(first, at - 1 - (n % 7) * Math.ceil(at / 6)) : 0;
    order = order.toSpliced(at, 1).toSpliced(Math.max(0, Math.min(at, to)), 0, chosen);
    packed = bestFit(items, order);
    if (packed.size < best!.size) best = packed;
  }
  if (best!.size <= bound * enough) return best!;
  const exact = searched(items, bound);
  return exact && exact.size < best!.size ? exact : best!;
}

/** What is smallest, as long as so small a part of the bound lives at once, goes into the gaps that the search leaves. */
const dust = 0.001;

function searched(items: readonly Sized[], bound: number): Packing | undefined {
  const order = largestFirst(items);
  let large = order.length;
  for (let step = 2 ** Math.ceil(Math.log2(large + 1)); step >= 1; step /= 2) {
    const small = order.slice(Math.max(0, large - step)).map(i => items[i]!);
    if (large >= step && mostLive(small) <= dust * bound) large -= step;
  }
  const chosen = order.slice(0, large);
  const found = packExactly(
    chosen.map(i => items[i]!),
    bound,
  );
  if (!found) return undefined;
  const offsets: number[] = [];
  chosen.forEach((i, k) => {
    offsets[i] = found.offsets[k]!;
  });
  return bestFit(items, order, offsets);
}

const meets = (a: Sized, b: Sized): boolean => a.from <= b.to && b.from <= a.to;

/** The largest first ("greedy by size" of Pisarchyk and Lee: "Efficient memory management for deep neural net inference", 2020). */
const largestFirst = (items: readonly Sized[]): number[] =>
  items
    .map((_, i) => i)
    .sort((a, b) => items[b]!.size - items[a]!.size || items[a]!.from - items[b]!.from || a - b);

/**
 * Each item in the order given into the smallest gap between those already placed that live at the same time, else
 * behind them; those of `given` where they are.
 */
export function bestFit(
  items: readonly Sized[],
  order: readonly number[] = largestFirst(items),
  given: readonly number[] = [],
): Packing {
  const offsets: number[] = [];
  // What is placed, by offset. Plain arrays of numbers: this loop meets all pairs of a deep net's tensors.
  const [starts, ends, froms, tos] = [0, 1, 2, 3].map(() => new Float64Array(items.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let size = 0;
  order.forEach((i, placed) => {
    const item = items[i]!;
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
    const offset = given[i] ?? (best >= 0 ? best : end);
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
