import type { Hash } from 'node:crypto';
import type { TensorValue, TypedArray } from '../../../runtime/index.ts';
import * as D from '../../ir/dim.ts';
import { type DType, isFloat } from '../../ir/type.ts';
import { fromArray, type TensorSpec, toArray } from '../tensors.ts';

/** Data that a program is fed, of which rows are read as they are wanted. */
export interface Column {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Rows along the leading axis; without any, everything. */
  take(rows?: ArrayLike<number>): TensorValue;
  /** The same for the same content, however it is stored. */
  hash(hash: Hash): void;
}

/** A column of a source. Without a name it goes to the next of the program's data that no name has taken. */
export interface Found {
  readonly name?: string;
  readonly column: Column;
  /** Bytes of pictures: 0 to 1 where the program takes floats. */
  readonly isPicture?: boolean;
  /** Fed as it is: what the program wants otherwise is an error. */
  readonly exact?: boolean;
}

export function stored(value: TensorValue): Column {
  const { dtype, shape, data } = value;
  return {
    dtype,
    shape,
    take: rows => (rows ? takeRows(value, rows) : value),
    hash(hash) {
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    },
  };
}

/** Columns of rows of one type, one after the other. */
export function joined(columns: readonly Column[]): Column {
  const [first] = columns;
  if (columns.length === 1) return first!;
  const starts = [0];
  for (const { shape } of columns) starts.push(starts.at(-1)! + shape[0]!);
  const length = starts.at(-1)!;
  return {
    dtype: first!.dtype,
    shape: [length, ...first!.shape.slice(1)],
    take(rows = { length }) {
      const parts = Array.from({ length: rows.length }, (_, i) => {
        const row = rows[i] ?? i;
        const at = starts.findLastIndex(start => start <= row);
        return columns[at]!.take([row - starts[at]!]);
      });
      const [{ data, shape, dtype }] = parts as [TensorValue];
      const taken = data.slice(0, 0).constructor as new (length: number) => TypedArray;
      const all = new taken(rows.length * data.length);
      for (const [i, part] of parts.entries()) all.set(part.data, i * data.length);
      return { dtype, shape: [rows.length, ...shape.slice(1)], data: all };
    },
    hash(hash) {
      for (const column of columns) column.hash(hash);
    },
  };
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

/**
 * Gives every column its name, and the dtype and shape that the program wants of it where that loses nothing: bytes
 * become floats, a picture of 28×28 one of 1×28×28 or 784 numbers. What does not fit stays as it is, and is told by who
 * compares types. Columns without a name that nobody wants are left out.
 */
export function fitColumns(found: readonly Found[], specs: readonly TensorSpec[]): Map<string, Column> {
  const named = new Set(found.flatMap(f => f.name ?? []));
  const open = specs.filter(s => !named.has(s.name));
  const result = new Map<string, Column>();
  for (const { name, column, isPicture = false, exact = false } of found) {
    const spec = name === undefined ? open.shift() : specs.find(s => s.name === name);
    if (spec) result.set(spec.name, exact ? column : fitted(column, spec, isPicture));
    else if (name !== undefined) result.set(name, column);
  }
  return result;
}

function fitted(column: Column, { type }: TensorSpec, isPicture: boolean): Column {
  const rest = type.shape.slice(1).map(d => D.constantValue(d));
  const product = (list: readonly (number | undefined)[]): number => list.reduce<number>((n, d) => n * d!, 1);
  const reshapes = !rest.includes(undefined) && product(rest) === product(column.shape.slice(1));
  const tail = reshapes ? (rest as number[]) : column.shape.slice(1);
  if (column.shape.length === 0 || type.shape.length === 0) return column;
  const { dtype } = type;
  const scale = isPicture && isFloat(dtype) && !isFloat(column.dtype) ? 255 : 1;
  return {
    dtype,
    shape: [column.shape[0]!, ...tail],
    take(rows) {
      const value = column.take(rows);
      const shape = [value.shape[0]!, ...tail];
      if (value.dtype === dtype) return { ...value, shape };
      const { data } = toArray(value);
      return fromArray({ dtype, shape, data: scale === 1 ? data : data.map(v => v / scale) });
    },
    hash: column.hash,
  };
}
