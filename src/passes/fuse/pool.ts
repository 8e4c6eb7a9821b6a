import type { Expr, Out } from '../../ir/compute.ts';
import type { Value } from '../../ir/graph.ts';
import { type Group, type Grouping, groupReads, rootOf } from './group.ts';

/** Slots that wait to be looked at, the first one first: a binary heap, without those that are in it already. */
export class SlotQueue {
  readonly #waiting = new Set<number>();
  readonly #heap: number[] = [];

  add(slot: number): void {
    if (this.#waiting.has(slot)) return;
    this.#waiting.add(slot);
    const heap = this.#heap;
    let at = heap.length;
    for (let up = (at - 1) >> 1; at > 0 && heap[up]! > slot; up = (at - 1) >> 1) {
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = slot;
  }

  has(slot: number): boolean {
    return this.#waiting.has(slot);
  }

  /** The first one, which stays. */
  peek(): number | undefined {
    return this.#heap[0];
  }

  take(): number | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    this.#waiting.delete(first);
    if (heap.length === 0) return first;
    let at = 0;
    for (let down = 1; down < heap.length; down = 2 * at + 1) {
      if (down + 1 < heap.length && heap[down + 1]! < heap[down]!) down++;
      if (heap[down]! >= last) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

/**
 * The groups while they are being merged, with who makes and who reads what. Each lies in a slot, in an order that
 * respects dependencies; what is merged takes the slot of one of its parts, so that slots never move, and every
 * change says which slots see something new.
 */
export class Pool {
  readonly #slots: (Group | undefined)[] = [];
  readonly #grouping: Grouping;
  readonly #slotOf = new Map<Group, number>();
  readonly #reads = new Map<Group, ReadonlySet<Value>>();
  readonly #readers = new Map<Value, Set<Group>>();
  readonly #makers = new Map<Value, Group>();
  readonly #watchers: ((slots: ReadonlySet<number>) => void)[] = [];
  /** Slots whose groups may have lost a reader since unused values were dropped. */
  readonly #loose = new Set<number>();

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
    grouping.groups.forEach((g, slot) => {
      this.#put(slot, g);
      this.#loose.add(slot);
    });
  }

  /** In order. */
  get groups(): Group[] {
    return this.#slots.filter(g => g !== undefined);
  }

  at(slot: number): Group | undefined {
    return this.#slots[slot];
  }

  slotOf(group: Group): number {
    return this.#slotOf.get(group)!;
  }

  maker(value: Value): Group | undefined {
    return this.#makers.get(value);
  }

  readers(value: Value): ReadonlySet<Group> {
    return this.#readers.get(value) ?? none;
  }

  /** Roots of everything a group reads. */
  reads(group: Group): ReadonlySet<Value> {
    let found = this.#reads.get(group);
    if (!found) {
      const { values, views } = this.#grouping;
      found = new Set(groupReads(group).map(id => rootOf(values.get(id)!, views)));
      this.#reads.set(group, found);
    }
    return found;
  }

  /** Tells, at once of all slots, and after each change of those that it empties, fills, or that see something new. */
  watch(watcher: (slots: ReadonlySet<number>) => void): void {
    this.#watchers.push(watcher);
    watcher(new Set(this.#slotOf.values()));
  }

  /**
   * Where two groups may stand as one: at the later place if nothing between reads the earlier one's values,
   * at the earlier place if everything the later one reads is there by then. Undefined: nowhere.
   */
  mergedPlace(early: number, late: number): number | undefined {
    const isBetween = (g: Group | undefined): boolean => {
      const slot = g ? this.slotOf(g) : -1;
      return slot > early && slot < late;
    };
    const { values } = this.#slots[early]!;
    if (!values.some(v => some(this.readers(v), isBetween))) return late;
    return some(this.reads(this.#slots[late]!), v => isBetween(this.maker(v))) ? undefined : early;
  }

  /** Puts what two groups became into the slot of one of them. */
  merge(early: number, late: number, place: number, merged: Group): void {
    this.#change([early, late], place, merged);
  }

  /** Keeps the outs that something outside needs; a group left with none is dropped. */
  dropUnused(outputs: ReadonlySet<Value>): void {
    for (const slot of this.#loose) {
      // What is touched by the change below is added behind, and so looked at as well.
      this.#loose.delete(slot);
      const group = this.#slots[slot];
      if (!group) continue;
      const keep = group.values.map(v => outputs.has(v) || this.readers(v).size > 0);
      if (group.loop) {
        if (!keep.includes(true)) this.#change([slot]);
        continue;
      }
      const { reduce, ...rest } = group.compute;
      const outs = group.compute.outs.filter((_, i) => keep[i]);
      const needsReduction = outs.some(usesReduction);
      if (!keep.includes(false) && (needsReduction || !reduce)) continue;
      if (outs.length === 0) this.#change([slot]);
      else {
        const compute = needsReduction ? { ...group.compute, outs } : { ...rest, outs };
        const values = group.values.filter((_, i) => keep[i]);
        this.#change([slot], slot, { compute, values, nodes: group.nodes });
      }
    }
  }

  #change(slots: readonly number[], place = -1, becomes?: Group): void {
    const seen = new Set<Group>();
    const see = (group: Group): void => {
      for (const v of this.reads(group)) {
        const maker = this.maker(v);
        if (maker) seen.add(maker);
      }
      for (const v of group.values) for (const reader of this.readers(v)) seen.add(reader);
    };
    const before = slots.map(slot => this.#slots[slot]!);
    before.forEach(see);
    slots.forEach((slot, i) => {
      this.#take(slot, before[i]!);
    });
    if (becomes) {
      this.#put(place, becomes);
      see(becomes);
      seen.add(becomes);
    }
    const touched = new Set(slots);
    for (const group of seen) {
      const slot = this.#slotOf.get(group);
      if (slot !== undefined) touched.add(slot);
    }
    for (const slot of touched) this.#loose.add(slot);
    for (const watcher of this.#watchers) watcher(touched);
  }

  #put(slot: number, group: Group): void {
    this.#slots[slot] = group;
    this.#slotOf.set(group, slot);
    for (const v of group.values) this.#makers.set(v, group);
    for (const v of this.reads(group)) {
      const readers = this.#readers.get(v);
      if (readers) readers.add(group);
      else this.#readers.set(v, new Set([group]));
    }
  }

  #take(slot: number, group: Group): void {
    this.#slots[slot] = undefined;
    this.#slotOf.delete(group);
    for (const v of group.values) this.#makers.delete(v);
    for (const v of this.reads(group)) this.#readers.get(v)!.delete(group);
    this.#reads.delete(group);
  }
}

const none: ReadonlySet<Group> = new Set();

/** As `Array.some`, without making an array. */
export function some<T>(items: Iterable<T>, test: (item: T) => boolean): boolean {
  for (const item of items) if (test(item)) return true;
  return false;
}

function usesReduction(out: Out): boolean {
  const found = (e: Expr): boolean => {
    switch (e.kind) {
      case 'reduced':
        return true;
      case 'unary':
      case 'cast':
        return found(e.a);
      case 'binary':
        return found(e.a) || found(e.b);
      case 'select':
        return found(e.condition) || found(e.a) || found(e.b);
      default:
        return false;
    }
  };
  return found(out.value);
}
