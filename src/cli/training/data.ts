import { createHash } from 'node:crypto';
import type { TensorValue, TypedArray } from '../../../runtime/index.ts';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { noExamples } from '../../support/errors/training.ts';
import { matchTensors, type TensorSpec, type Tensors } from '../tensors.ts';
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
  batch(rows: ArrayLike<number>): Batch;
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
  tensors: Tensors,
  file: string,
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
  return {
    examples,
    batchDim: dim,
    dims,
    digest: digestOf(values),
    batch: rows =>
      Object.fromEntries(
        values.map(([name, value]) => [name, perExample.has(name) ? takeRows(value, rows) : value]),
      ),
  };
}

function digestOf(tensors: readonly (readonly [string, TensorValue])[]): string {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, data }] of tensors) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}

/** The rows along the leading axis, in an array of their own. */
function takeRows({ dtype, shape, data }: TensorValue, rows: ArrayLike<number>): TensorValue {
  const width = shape.slice(1).reduce((n, d) => n * d, 1);
  const taken = data.slice(0, 0).constructor as new (length: number) => TypedArray;
  const result = new taken(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    result.set(data.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return { dtype, shape: [rows.length, ...shape.slice(1)], data: result };
}

/** Parts of an order, `size` at a time; the last may be smaller, and is left out unless `keepLast`. */
export function* batches(order: Uint32Array, size: number, keepLast: boolean): Generator<Uint32Array> {
  for (let at = 0; at < order.length; at += size)
    if (keepLast || at + size <= order.length) yield order.subarray(at, at + size);
}

export const batchCount = (examples: number, size: number, keepLast: boolean): number =>
  keepLast ? Math.ceil(examples / size) : Math.floor(examples / size);
