import type { Dim, DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { packIntervals } from './pack-intervals.ts';
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
 * Places demands so that no two that live at the same time overlap, whatever the free dims are. They are packed as
 * numbers, at the sizes given; what is kept of that packing is alone which of two that live at the same time lies
 * below the other. Every offset is then the largest of the ends of what lies right below, as an expression in the
 * free dims: at the sizes given nothing lies higher than it was packed, and for all others the order still holds.
 */
export function place(demands: readonly Demand[], sizes: DimEnv): Placement {
  const rounded = demands.map(d => alignedBytes(d.bytes));
  const packed = packIntervals(
    demands.map(({ from, to }, i) => ({
      from,
      to,
      size: Math.max(alignment, D.evaluate(rounded[i]!, sizes)),
    })),
  );
  const upwards = demands.map((_, i) => i).sort((a, b) => packed.offsets[a]! - packed.offsets[b]! || a - b);

  const offsets: Dim[] = [];
  const highest = new Highest(sizes);
  const ends: (readonly Height[])[] = [];
  // What lies highest so far at each dispatch, from -1.
  const top: (number | undefined)[] = [];
  for (const i of upwards) {
    const { from, to } = demands[i]!;
    const below = new Set<number>();
    for (let t = from + 1; t <= to + 1; t++) {
      const under = top[t];
      if (under !== undefined) below.add(under);
      top[t] = i;
    }
    const starts = highest.of([...below].flatMap(j => ends[j]!));
    offsets[i] = largest(starts);
    const bytes = highest.known(rounded[i]!);
    ends[i] = starts.map(s => highest.sum(s, bytes));
  }
  const last = new Set(top.filter(i => i !== undefined));
  return { offsets, bytes: largest(highest.of([...last].flatMap(i => ends[i]!))) };
}

/** Rounded up to a multiple of 256, for all sizes. */
export function alignedBytes(bytes: Dim): Dim {
  const value = D.constantValue(bytes);
  if (value !== undefined) return D.constant(Math.max(alignment, align(value)));
  if (bytes.terms.every(t => t.coefficient % alignment === 0)) return bytes;
  const units = D.floorDiv(D.add(bytes, D.constant(alignment - 1)), D.constant(alignment));
  return D.scale(units, alignment);
}

/** More than this the largest of some ends is not spelled out: the last are bounded together. */
const longest = 32;

/** A size, and what it is at some choices of the free dims, those first for which memory is packed. */
interface Height {
  readonly dim: Dim;
  readonly values: readonly number[];
  readonly id: number;
}

const largest = (heights: readonly Height[]): Dim => D.max(heights.map(h => h.dim));

/** Drops from lists of sizes what others of the list reach for all free dims. */
class Highest {
  readonly #samples: readonly DimEnv[];
  readonly #known = new Map<string, Height>();
  readonly #proved = new Map<number, boolean>();
  readonly #bounds = new Map<number, Height | undefined>();

  constructor(sizes: DimEnv) {
    const others = [1, 2, 1000].map(
      (n): DimEnv => Object.fromEntries(Object.keys(sizes).map(name => [name, n])),
    );
    this.#samples = [sizes, ...others];
  }

  known(dim: Dim, values?: readonly number[]): Height {
    let height = this.#known.get(dim.key);
    if (!height) {
      height = { dim, values: values ?? this.#samples.map(s => D.evaluate(dim, s)), id: this.#known.size };
      this.#known.set(dim.key, height);
    }
    return height;
  }

  sum(a: Height, b: Height): Height {
    return this.known(
      D.add(a.dim, b.dim),
      a.values.map((n, i) => n + b.values[i]!),
    );
  }

  of(list: readonly Height[]): readonly Height[] {
    const kept: Height[] = [];
    const all = [...new Set(list)].sort((a, b) => b.values[0]! - a.values[0]!);
    for (const d of all) {
      if (kept.some(k => this.#reaches(k, d))) continue;
      const stay = kept.filter(k => !this.#reaches(d, k));
      kept.splice(0, kept.length, ...stay, d);
    }
    if (kept.length === 0) return [this.known(D.constant(0))];
    const top = kept[0]!.values[0]!;
    while (kept.length > longest) {
      let together = this.#lowest(kept, 8);
      if (!together) break;
      // At the sizes for which memory is packed nothing should lie higher for it.
      if (together.bound.values[0]! > top) {
        if (kept.length <= 4 * longest) break;
        if (kept.length <= 6 * longest) together = this.#lowest(kept, 24)!;
      }
      kept.splice(together.i, 1);
      kept[together.j] = together.bound;
    }
    return kept;
  }

  /** Of the lowest so many, the pair whose common bound is least, at the sizes for which memory is packed. */
  #lowest(
    list: readonly Height[],
    among: number,
  ): { readonly i: number; readonly j: number; readonly bound: Height } | undefined {
    let found: { i: number; j: number; bound: Height } | undefined;
    const first = list.length - among;
    for (let i = first + 1; i < list.length; i++)
      for (let j = first; j < i; j++) {
        const bound = this.#upper(list[i]!, list[j]!);
        if (bound && (!found || bound.values[0]! < found.bound.values[0]!)) found = { i, j, bound };
      }
    return found;
  }

  #upper(a: Height, b: Height): Height | undefined {
    const pair = a.id * 2 ** 26 + b.id;
    if (!this.#bounds.has(pair)) {
      const bound = upper(a.dim, b.dim);
      this.#bounds.set(pair, bound && this.known(bound));
    }
    return this.#bounds.get(pair);
  }

  /** Whether a >= b for all sizes, as far as can be proved. */
  #reaches(a: Height, b: Height): boolean {
    for (let i = 0; i < a.values.length; i++) if (b.values[i]! > a.values[i]!) return false;
    const pair = a.id * 2 ** 26 + b.id;
    let known = this.#proved.get(pair);
    if (known === undefined) this.#proved.set(pair, (known = D.isAtLeast(a.dim, b.dim)));
    return known;
  }
}

/** At least both for all sizes: the larger coefficient of each product, none of which may be negative. */
function upper(a: Dim, b: Dim): Dim | undefined {
  const { terms } = D.sub(b, a);
  const more = terms.filter(t => t.coefficient > 0);
  const isSound = terms.every(t => D.lowerBound(D.ofTerms([{ ...t, coefficient: 1 }])) >= 0);
  return isSound ? D.add(a, D.ofTerms(more)) : undefined;
}
