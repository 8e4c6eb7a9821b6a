import type { NdArray } from '../../src/ir/primitive.ts';

/** Thrown where a case cannot be said in `.dnn`; the case is then listed as untranslated. */
export class Untranslated extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'Untranslated';
  }
}

/** Keyword arguments of a PyTorch function. Every one must be read, so that none is ignored in silence. */
export class Attrs {
  readonly #of: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #unread: Set<string>;

  constructor(of: string, values: Readonly<Record<string, unknown>>) {
    this.#of = of;
    this.#values = values;
    this.#unread = new Set(Object.keys(values).filter(k => values[k] !== null));
  }

  get(name: string): unknown {
    this.#unread.delete(name);
    return this.#values[name] ?? undefined;
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'number') return value;
    throw this.#cannot(name);
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#cannot(name);
  }

  /** `3`, or `[3, 5]`. */
  ints(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number') return String(value);
    if (Array.isArray(value) && value.every(v => typeof v === 'number')) return `[${value.join(', ')}]`;
    throw this.#cannot(name);
  }

  /** A whole number or a list of them, as a list. */
  numbers(name: string): number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const all = [value].flat();
    if (all.every(v => typeof v === 'number')) return all as number[];
    throw this.#cannot(name);
  }

  list(name: string): number[] {
    const value = this.get(name);
    if (Array.isArray(value) && value.every(v => typeof v === 'number')) return value;
    throw this.#cannot(name);
  }

  /** Only this value can be said, which may also be the default. */
  only(name: string, wanted: unknown): void {
    const value = this.get(name);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(wanted)) throw this.#cannot(name);
  }

  done(): void {
    if (this.#unread.size > 0)
      throw new Untranslated(`${this.#of} with ${[...this.#unread].map(k => this.#show(k)).join(', ')}`);
  }

  #cannot(name: string): Untranslated {
    return new Untranslated(`${this.#of} with ${this.#show(name)}`);
  }

  #show(name: string): string {
    return `${name} = ${JSON.stringify(this.#values[name])}`;
  }
}

/** `, stride = 2`; nothing where there is no value. */
export function named(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === undefined ? [] : [`, ${name} = ${value}`]))
    .join('');
}

/** `.dnn` text for a call: its arguments as names, and what else it was given. */
export type Translation = (
  args: readonly string[],
  attrs: Attrs,
  given: (name: string) => NdArray | undefined,
) => string;
