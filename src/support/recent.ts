/** What was made last, by text: at most so many, the oldest of which go first. */
export class Recent<V> {
  readonly #limit: number;
  readonly #made = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(key: string, make: () => V): V {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    if (this.#made.size > this.#limit) this.#made.delete(this.#made.keys().next().value!);
    return made;
  }
}
