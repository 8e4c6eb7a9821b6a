import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, unusableData } from '../../support/errors/data.ts';
import { fromArray } from '../tensors.ts';
import { type Found, stored } from './column.ts';

/** Beyond this a module is taken for one that never ends. */
const most = 1_000_000;

/**
 * What a JavaScript module yields: its default export is an iterable of examples, asynchronous or not, or a function of
 * ({ seed }) that gives one. An example has a number, a list (of lists) of numbers, or a typed array for each `data`.
 */
export async function readModule(path: string, seed: number): Promise<Found[]> {
  const examples = new Map<string, { shape: readonly number[]; values: Numbers[] }>();
  let n = 0;
  try {
    const loaded = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
    const given =
      typeof loaded.default === 'function' ? await loaded.default({ seed }) : await loaded.default;
    if (!isIterable(given))
      return fail(
        unusableData(
          path,
          'its default export is no iterable, and no function that gives one',
          'export default async function* ({ seed }) { yield { x: […], y: 0 } }',
        ),
      );
    for await (const example of given as AsyncIterable<unknown>) {
      if (n === most)
        fail(
          unusableData(path, `it yields more than ${most.toLocaleString('en-US')} examples`, 'let it end'),
        );
      if (typeof example !== 'object' || example === null)
        return fail(unusableData(path, `example ${n} is no object with a field for each data`));
      const names = Object.keys(example);
      if (n > 0 && (names.length !== examples.size || names.some(name => !examples.has(name))))
        fail(
          unusableData(
            path,
            `example ${n} has ${names.join(', ')}, but others ${[...examples.keys()].join(', ')}`,
          ),
        );
      for (const [name, value] of Object.entries(example)) {
        const shape = shapeOf(value);
        const values = shape && flat(value);
        const known = examples.get(name);
        if (!values || !isNumbers(values))
          return fail(unusableData(path, `${name} of example ${n} is neither a number nor numbers in lists`));
        if (!known) examples.set(name, { shape, values: [values] });
        else if (`${known.shape}` !== `${shape}` || known.values[0]!.length !== values.length)
          return fail(
            unusableData(path, `${name} of example ${n} is [${shape}], but [${known.shape}] before it`),
          );
        else known.values.push(values);
      }
      n++;
    }
  } catch (error) {
    if (error instanceof Error && error.name !== 'DiagnosticError' && !('diagnostics' in error))
      return fail(unusableData(path, `the module fails at example ${n}: ${error.message}`));
    throw error;
  }
  return [...examples].map(([name, { shape, values }]) => ({
    name,
    column: stored(
      fromArray({
        dtype: values.every(v => v.every(Number.isInteger)) ? 'i32' : 'f32',
        shape: [n, ...shape],
        data: joined(values),
      }),
    ),
  }));
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
