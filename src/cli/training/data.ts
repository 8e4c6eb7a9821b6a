import { createHash } from 'node:crypto';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { noExamples } from '../../support/errors/training.ts';
import type { Column } from '../data/column.ts';
import type { Feed, FeedOrder, Stream } from '../data/stream.ts';
import { matchTensors, type TensorSpec } from '../tensors.ts';
import { permutation } from './shuffle.ts';
import type { Batch } from './trainer.ts';

/** What a program is fed: tensors whose leading axis is examples, and others that every batch gets whole. */
export interface Dataset {
  /** 1 where no tensor has examples: every step is fed everything. */
  readonly examples: number;
  /** The free dim that counts them, where one does. */
  readonly batchDim: string | undefined;
  /** All free dims, the examples' at their number. */
  readonly dims: DimEnv;
  /** The same for the same tensors in the same order, however they are stored in a file. */
  readonly digest: string;
  /** Rows below `held`. */
  batch(rows: ArrayLike<number>): Batch;
  /** Examples that are there at any time: all, or the first ones of a stream. */
  readonly held: number;
  /** An epoch, batch by batch. */
  feeds(order: FeedOrder): AsyncIterable<Feed> | Iterable<Feed>;
}

/** The free dim that counts examples: the leading one of the first data that has one. */
export function batchDim(specs: readonly TensorSpec[]): string | undefined {
  for (const { type } of specs) {
    const [first] = type.shape;
    const [name] = first ? D.symbols(first) : [];
    if (name !== undefined && name === first!.key) return name;
  }
  return undefined;
}

/** Checks a file's tensors against a program's data. Throws an error naming each that does not fit. */
export function makeDataset(
  program: string,
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, Column>,
  file: string,
  stream?: Stream,
): Dataset {
  const dim = batchDim(specs);
  // Before shapes are compared: an extent of 0 is no size that a free dim can have, and says less.
  for (const { name, type } of specs)
    if (dim !== undefined && type.shape[0]?.key === dim && tensors.get(name)?.shape[0] === 0)
      throw new DiagnosticError(noExamples(file));
  const dims: DimEnv = matchTensors(`train ${program}`, specs, tensors);
  const perExample = new Set(
    specs.filter(s => dim !== undefined && s.type.shape[0]?.key === dim).map(s => s.name),
  );
  const examples = dim === undefined ? 1 : dims[dim]!;
  const values = specs.map(({ name }) => [name, tensors.get(name)!] as const);
  const batch = (rows: ArrayLike<number>): Batch =>
    Object.fromEntries(
      values.map(([name, value]) => [name, perExample.has(name) ? value.take(rows) : value.take()]),
    );
  return {
    examples,
    batchDim: dim,
    dims,
    digest: digestOf(values),
    batch,
    held: stream?.held ?? examples,
    feeds: order => stream?.feeds(order) ?? feedsOf(examples, batch, order),
  };
}

function* feedsOf(
  examples: number,
  batch: Dataset['batch'],
  { epoch, shuffle, size, keepLast, skip = 0 }: FeedOrder,
): Generator<Feed> {
  const order = shuffle === undefined ? inOrder(examples) : permutation(examples, shuffle, epoch);
  for (const rows of batches(order.subarray(skip * size), size, keepLast))
    yield { examples: rows.length, batch: batch(rows) };
}

const inOrder = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);

function digestOf(columns: readonly (readonly [string, Column])[]): string {
  const hash = createHash('sha256');
  for (const [name, column] of columns) {
    hash.update(JSON.stringify([name, column.dtype, column.shape]));
    column.hash(hash);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Parts of an order, `size` at a time; the last may be smaller, and is left out unless `keepLast`. */
export function* batches(order: Uint32Array, size: number, keepLast: boolean): Generator<Uint32Array> {
  for (let at = 0; at < order.length; at += size)
    if (keepLast || at + size <= order.length) yield order.subarray(at, at + size);
}

export const batchCount = (examples: number, size: number, keepLast: boolean): number =>
  keepLast ? Math.ceil(examples / size) : Math.floor(examples / size);
