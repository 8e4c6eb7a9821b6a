/** Bytes from `start` to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const overlap = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;

/** Ranges that do not overlap, in order: the ones that another range meets are found by halving. */
export class Ranges<T extends Range> {
  readonly #list: T[] = [];

  /** Those that share bytes with `range`. */
  over(range: Range): T[] {
    const from = this.#firstEndingAfter(range.start);
    let to = from;
    while (to < this.#list.length && this.#list[to]!.start < range.end) to++;
    return this.#list.slice(from, to);
  }

  /** Adds a range that shares no bytes with others. */
  add(range: T): void {
    this.#list.splice(this.#firstEndingAfter(range.start), 0, range);
  }

  delete(range: T): void {
    const at = this.#firstEndingAfter(range.start);
    if (this.#list[at] === range) this.#list.splice(at, 1);
  }

  #firstEndingAfter(place: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#list[middle]!.end <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
