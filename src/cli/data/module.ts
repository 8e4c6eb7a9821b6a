import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { fail, unusableData } from '../../support/errors/data.ts';
import { fromArray } from '../tensors.ts';
import { type Found, stored } from './column.ts';

/** Beyond this a module is taken for one that never ends. */
const most = 1_000_000;

/** What a module's default export says: its examples, one epoch at a time. */
export interface ModuleSource {
  /** As many as an epoch has, where the module exports a `length`; then they need not end. */
  readonly length: number | undefined;
  examples(how: { readonly seed: number; readonly epoch: number }): Promise<AsyncIterable<unknown>>;
}

/** A module whose default export is an iterable of examples, asynchronous or not, or a function that gives one. */
export async function openModule(path: string): Promise<ModuleSource> {
  const loaded = await told(path, async () => (await import(pathToFileURL(resolve(path)).href)) as object);
  const { default: given, length } = loaded as { readonly default?: unknown; readonly length?: unknown };
  if (length !== undefined && !(Number.isSafeInteger(length) && (length as number) > 0))
    fail(
      unusableData(
        path,
        `its length is ${String(length)}, and no number of examples`,
        'export const length = 1000;',
      ),
    );
  if (length !== undefined && typeof given !== 'function')
    fail(
      unusableData(
        path,
        'it has a length, but its default export is no function, so that no second epoch can be had',
        'export default async function* ({ seed, epoch }) { yield { x: […], y: 0 } }',
      ),
    );
  return {
    length: length as number | undefined,
    async examples(how) {
      const examples = await told(path, async () => (typeof given === 'function' ? given(how) : given));
      if (!isIterable(examples))
        return fail(
          unusableData(
            path,
            'its default export is no iterable, and no function that gives one',
            'export default async function* ({ seed }) { yield { x: […], y: 0 } }',
          ),
        );
      return examples as AsyncIterable<unknown>;
    },
  };
}

/** What a module throws is wrong data, at the example that was wanted. */
export async function told<T>(path: string, run: () => Promise<T>, n = (): number => 0): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.name !== 'DiagnosticError' && !('diagnostics' in error))
      return fail(unusableData(path, `the module fails at example ${n()}: ${error.message}`));
    throw error;
  }
}

/** Collects examples of one kind: what is unlike those before it is an error that names it. */
export class Collector {
  readonly #path: string;
  readonly #columns = new Map<
    string,
    { readonly shape: readonly number[]; readonly size: number; values: Numbers[] }
  >();

  constructor(path: string) {
    this.#path = path;
  }

  /** Examples that are collected. */
  get length(): number {
    return [...this.#columns.values()][0]?.values.length ?? 0;
  }

  /** `n` is what messages call it. */
  add(example: unknown, n: number): void {
    if (typeof example !== 'object' || example === null)
      throw new DiagnosticError(
        unusableData(this.#path, `example ${n} is no object with a field for each data`),
      );
    const names = Object.keys(example);
    const columns = this.#columns;
    if (columns.size > 0 && (names.length !== columns.size || names.some(name => !columns.has(name))))
      fail(
        unusableData(
          this.#path,
          `example ${n} has ${names.join(', ')}, but others ${[...columns.keys()].join(', ')}`,
        ),
      );
    for (const [name, value] of Object.entries(example)) {
      const shape = shapeOf(value);
      const values = shape && flat(value);
      const known = columns.get(name);
      if (!values || !isNumbers(values))
        throw new DiagnosticError(
          unusableData(this.#path, `${name} of example ${n} is neither a number nor numbers in lists`),
        );
      if (!known) columns.set(name, { shape, size: values.length, values: [values] });
      else if (`${known.shape}` !== `${shape}` || known.size !== values.length)
        fail(
          unusableData(this.#path, `${name} of example ${n} is [${shape}], but [${known.shape}] before it`),
        );
      else known.values.push(values);
    }
  }

  /** The examples as columns by name. */
  columns(): Found[] {
    return [...this.#columns].map(([name, { shape, values }]) => ({
      name,
      column: stored(
        fromArray({
          dtype: values.every(v => v.every(Number.isInteger)) ? 'i32' : 'f32',
          shape: [values.length, ...shape],
          data: joined(values),
        }),
      ),
    }));
  }

  /** Begins anew with examples of the same kind. */
  clear(): void {
    for (const column of this.#columns.values()) column.values = [];
  }
}

/** All that a module yields, read to its end. */
export async function readModule(path: string, seed: number): Promise<Found[]> {
  const { examples } = await openModule(path);
  const collector = new Collector(path);
  const iterable = await examples({ seed, epoch: 0 });
  await told(
    path,
    async () => {
      for await (const example of iterable) {
        if (collector.length === most)
          fail(
            unusableData(
              path,
              `it yields more than ${most.toLocaleString('en-US')} examples`,
              'let it end, or export a length: then they are taken as they come',
            ),
          );
        collector.add(example, collector.length);
      }
    },
    () => collector.length,
  );
  return collector.columns();
}

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);

function shapeOf(value: unknown): number[] | undefined {
  if (typeof value === 'number') return [];
  if (ArrayBuffer.isView(value) && 'length' in value) return [value.length as number];
  if (!Array.isArray(value)) return undefined;
  const inner = value.length === 0 ? [] : shapeOf(value[0]);
  return inner && [value.length, ...inner];
}

/** Of one example. Typed arrays are copied as they are, so that pictures cost no number object for each of their pixels. */
type Numbers = number[] | Float64Array;

const flat = (value: unknown): Numbers =>
  typeof value !== 'object'
    ? [value as number]
    : ArrayBuffer.isView(value)
      ? (value as Float64Array).slice()
      : [...(value as Iterable<unknown>)].flatMap(part => [...flat(part)]);

const isNumbers = (values: Numbers): boolean =>
  ArrayBuffer.isView(values)
    ? !(values instanceof BigInt64Array || values instanceof BigUint64Array)
    : values.every(v => typeof v === 'number');

/** Of all examples, which have as many each. */
function joined(values: readonly Numbers[]): Float64Array<ArrayBuffer> {
  const width = values[0]?.length ?? 0;
  const all = new Float64Array(values.length * width);
  values.forEach((part, i) => {
    all.set(part, i * width);
  });
  return all;
}
