import type { Target } from '../ir/target.ts';
import type { AdapterTuning, TunedWork, TuningTable } from '../ir/tuning.ts';
import { fail } from '../support/errors/data.ts';
import { damagedTuning } from '../support/errors/tuning.ts';
import { duplicateName } from './json.ts';

/** What a table says it is; another version is measured anew. */
const format = 'dnnc tuning 1';

const kinds: readonly string[] = ['gpu', 'software', 'cpu'] satisfies Target['kind'][];

/** A table of measured schedules out of its JSON. Throws `DiagnosticError` E0430, which names `file`. */
export function readTuning(text: string, file: string): TuningTable {
  const bad = (what: string, hint?: string): never => fail(damagedTuning(file, what, hint));
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(message)?.[1] ?? text.length;
    return bad(`no JSON from character ${at} on`, 'restore it, or leave it out and measure again');
  }
  const twice = duplicateName(text);
  if (twice !== undefined) return bad(`\`${twice}\` stands twice`);
  const reader = new Reader(bad);
  const table = reader.object(root, 'the table');
  const found = table.format;
  if (found !== format)
    return bad(
      typeof found === 'string'
        ? `its format is \`${found}\`, not \`${format}\``
        : `there is no \`"format": "${format}"\``,
      'is this a table of `dnnc tune`? those of other versions are measured again',
    );
  return {
    adapters: new Map(
      reader.entries(table.adapters, 'adapters').map(([name, a]): [string, AdapterTuning] => {
        const path = `adapters.${name}`;
        const { kind, works } = reader.object(a, path);
        if (typeof kind !== 'string' || !kinds.includes(kind))
          return bad(`${path}.kind is none of ${kinds.join(', ')}`);
        const list = reader
          .entries(works, `${path}.works`)
          .map(([shape, work]): [string, TunedWork] => [shape, reader.work(work, `${path}.works.${shape}`)]);
        return [name, { kind: kind as Target['kind'], works: new Map(list) }];
      }),
    ),
  };
}

/** The table as JSON, in the order of names, so that what did not change stays where it is. */
export function writeTuning({ adapters }: TuningTable): string {
  const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const table = {
    format,
    adapters: Object.fromEntries(
      sorted(adapters).map(([name, { kind, works }]) => [
        name,
        { kind, works: Object.fromEntries(sorted(works)) },
      ]),
    ),
  };
  return `${JSON.stringify(table, undefined, 2)}\n`;
}

/** Takes values apart; what is not as it should be goes to `bad`, by its path. */
class Reader {
  readonly #bad: (what: string) => never;

  constructor(bad: (what: string) => never) {
    this.#bad = bad;
  }

  object(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
    return this.#bad(`${path} is no object`);
  }

  entries(value: unknown, path: string): [string, unknown][] {
    return Object.entries(this.object(value, path));
  }

  work(value: unknown, path: string): TunedWork {
    const { near, sizes, usual, ...best } = this.object(value, path);
    return {
      near: this.#text(near, `${path}.near`),
      ...this.#measured(best, path),
      usual: this.#measured(this.object(usual, `${path}.usual`), `${path}.usual`),
      sizes: Object.fromEntries(
        this.entries(sizes, `${path}.sizes`).map(([dim, n]) => [
          dim,
          this.#number(n, `${path}.sizes.${dim}`),
        ]),
      ),
    };
  }

  #measured(
    { schedule, milliseconds }: Readonly<Record<string, unknown>>,
    path: string,
  ): { schedule: string; milliseconds: number } {
    return {
      schedule: this.#text(schedule, `${path}.schedule`),
      milliseconds: this.#number(milliseconds, `${path}.milliseconds`),
    };
  }

  #text(value: unknown, path: string): string {
    return typeof value === 'string' ? value : this.#bad(`${path} is no text`);
  }

  #number(value: unknown, path: string): number {
    return typeof value === 'number' && value >= 0 ? value : this.#bad(`${path} is no number`);
  }
}
