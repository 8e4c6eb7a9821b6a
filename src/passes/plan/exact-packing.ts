import type { Packing, Sized } from './pack-intervals.ts';

/** Searches, and what each may cost: moments of items that it looks at, for each item. */
const attempts = 120;
const effort = 8000;
/** More items than this are left to the greedy attempts: a search goes as deep as there are items. */
const most = 2000;
/** What the searches aim at after the first two, as a share of the bound. */
const near = 1.008;

/**
 * A packing that is at most a hundredth above the bound, if one is found. A search that does not come to an end soon
 * would not for long, so that there are many short ones, which try candidates in different orders: the large first, and
 * then more and more by chance. Deterministic.
 */
export function packExactly(items: readonly Sized[], bound: number): Packing | undefined {
  if (items.length > most) return undefined;
  const random = randomNumbers(items.length);
  for (let n = 0; n < attempts; n++) {
    const chance = n < 2 ? 0 : [1, 3, 8][n % 3]!;
    const keys = items.map(x => x.size * (n === 1 ? x.to - x.from + 1 : 1) * (1 + chance * random()));
    const found = new Search(items, Math.floor(bound * (n < 2 ? 1 : near)), keys).run();
    if (typeof found === 'object') return found;
    // Then it is so in whatever order.
    if (found === 'impossible' && n >= 2) return undefined;
  }
  return undefined;
}

/** From 0 to 1, the same in every run ("splitmix32"). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

type Outcome = 'found' | 'impossible' | 'given up';

/**
 * Depth-first search with backtracking for a packing into `capacity`. Items are placed at ascending offsets, each upon
 * the highest that was placed before and lives with it, which reaches every packing that has no gap to fall into.
 * What is not placed bounds the search from below: wherever some are still to come, they lie above the lowest place that
 * one of them can have, one upon the other. Where what is left falls apart into items that live at different times, each
 * part is searched alone.
 */
class Search {
  readonly #capacity: number;
  /** Positions in `items`, in the order in which candidates are tried; all else is in that order. */
  readonly #order: readonly number[];
  readonly #sizes: Float64Array;
  /** Moments that an item lives through: `#from` to before `#to`. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #neighbours: readonly (readonly number[])[];
  /** Where each item would come to lie. */
  readonly #lowest: Float64Array;
  readonly #offsets: Float64Array;
  /** Bytes that are still to be placed, for each moment. */
  readonly #missing: Float64Array;
  readonly #floor: Float64Array;
  /** What has been placed, and what that raised: item and former lowest place by turns. */
  readonly #placed: number[] = [];
  readonly #raised: number[] = [];
  #left: number;

  /** Candidates with larger keys are tried first. */
  constructor(items: readonly Sized[], capacity: number, keys: readonly number[]) {
    this.#capacity = capacity;
    this.#left = effort * items.length;
    this.#order = [...items.keys()].sort(
      (a, b) => keys[b]! - keys[a]! || items[a]!.from - items[b]!.from || a - b,
    );
    const sorted = this.#order.map(i => items[i]!);
    this.#sizes = Float64Array.from(sorted, x => x.size);
    const moments = momentsOf(items);
    this.#from = Int32Array.from(sorted, x => moments.findIndex(m => m >= x.from));
    this.#to = Int32Array.from(sorted, x => moments.findLastIndex(m => m <= x.to) + 1);
    this.#missing = new Float64Array(moments.length);
    this.#floor = new Float64Array(moments.length);
    this.#lowest = new Float64Array(items.length);
    this.#offsets = new Float64Array(items.length);
    this.#neighbours = sorted.map((a, i) =>
      sorted.flatMap((b, k) => (k !== i && a.from <= b.to && b.from <= a.to ? [k] : [])),
    );
    for (const i of sorted.keys()) this.#need(i, this.#sizes[i]!);
  }

  run(): Packing | Exclude<Outcome, 'found'> {
    for (const part of this.#parts([...this.#order.keys()])) {
      const outcome = this.#place(part, 0, -1);
      if (outcome !== 'found') return outcome;
    }
    const offsets: number[] = [];
    let size = 0;
    this.#order.forEach((item, i) => {
      offsets[item] = this.#offsets[i]!;
      size = Math.max(size, offsets[item]! + this.#sizes[i]!);
    });
    return { offsets, size };
  }

  /** Places all of `part` at `from` or higher; at `from` itself only what comes behind `last`. */
  #place(part: readonly number[], from: number, last: number): Outcome {
    const roof = this.#roof(part, from, last);
    if (roof === undefined) return 'impossible';
    for (const i of part) {
      const offset = this.#lowest[i]!;
      // What would lie at the roof or above leaves room below for another, which is tried in its place.
      if (offset >= roof || this.#isPast(i, from, last)) continue;
      if (this.#left <= 0) return 'given up';
      const [placed, raised] = [this.#placed.length, this.#raised.length];
      this.#put(i, offset);
      let outcome: Outcome = 'found';
      for (const rest of this.#parts(part.filter(k => k !== i))) {
        outcome = this.#place(rest, offset, i);
        if (outcome !== 'found') break;
      }
      if (outcome !== 'impossible') return outcome;
      this.#undo(placed, raised);
    }
    return 'impossible';
  }

  /** Whether an item can no longer lie where it would come to lie, but must lie upon another one that is still to come. */
  #isPast(i: number, from: number, last: number): boolean {
    const offset = this.#lowest[i]!;
    return offset < from || (offset === from && i < last);
  }

  /** The least end that one of some items can have; undefined where they do not fit any more. */
  #roof(part: readonly number[], from: number, last: number): number | undefined {
    const [floor, missing] = [this.#floor, this.#missing];
    let [first, end] = [floor.length, 0];
    let roof = Number.POSITIVE_INFINITY;
    for (const i of part) {
      first = Math.min(first, this.#from[i]!);
      end = Math.max(end, this.#to[i]!);
      if (!this.#isPast(i, from, last)) roof = Math.min(roof, this.#lowest[i]! + this.#sizes[i]!);
    }
    floor.fill(Number.POSITIVE_INFINITY, first, end);
    for (const i of part) {
      const low = this.#isPast(i, from, last) ? roof : this.#lowest[i]!;
      if (low + this.#sizes[i]! > this.#capacity) return undefined;
      this.#left -= this.#to[i]! - this.#from[i]!;
      for (let m = this.#from[i]!; m < this.#to[i]!; m++) if (low < floor[m]!) floor[m] = low;
    }
    for (let m = first; m < end; m++)
      if (missing[m]! > 0 && floor[m]! + missing[m]! > this.#capacity) return undefined;
    return roof;
  }

  /** Groups of items that no moment has in common, in time. */
  #parts(items: readonly number[]): readonly (readonly number[])[] {
    if (items.length < 2) return items.length === 0 ? [] : [items];
    const byTime = [...items].sort((a, b) => this.#from[a]! - this.#from[b]!);
    const parts: number[][] = [];
    let end = -1;
    for (const i of byTime) {
      if (this.#from[i]! >= end) parts.push([]);
      parts.at(-1)!.push(i);
      end = Math.max(end, this.#to[i]!);
    }
    return parts.length === 1 ? [items] : parts.map(part => part.sort((a, b) => a - b));
  }

  #need(i: number, bytes: number): void {
    for (let m = this.#from[i]!; m < this.#to[i]!; m++) this.#missing[m]! += bytes;
  }

  #put(i: number, offset: number): void {
    const end = offset + this.#sizes[i]!;
    this.#offsets[i] = offset;
    this.#need(i, -this.#sizes[i]!);
    this.#placed.push(i);
    // Those that are placed are never looked at, and are put back as they were.
    for (const k of this.#neighbours[i]!) {
      if (this.#lowest[k]! >= end) continue;
      this.#raised.push(k, this.#lowest[k]!);
      this.#lowest[k] = end;
    }
  }

  /** Takes back all but so many entries of what was done. */
  #undo(placed: number, raised: number): void {
    while (this.#raised.length > raised) {
      const before = this.#raised.pop()!;
      this.#lowest[this.#raised.pop()!] = before;
    }
    while (this.#placed.length > placed) {
      const i = this.#placed.pop()!;
      this.#need(i, this.#sizes[i]!);
    }
  }
}

/** For each run of births and the deaths behind it, the moment in between: at all others no more lives. */
function momentsOf(items: readonly Sized[]): readonly number[] {
  const ends = new Set(items.map(x => x.to));
  const starts = new Set(items.map(x => x.from));
  const moments: number[] = [];
  let born = false;
  for (const at of [...new Set([...ends, ...starts])].sort((a, b) => a - b)) {
    born ||= starts.has(at);
    if (born && ends.has(at)) {
      moments.push(at);
      born = false;
    }
  }
  return moments;
}
