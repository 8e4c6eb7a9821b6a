/** The format's dtypes with the arrays that hold them: F16 and BF16 are raw bits, BOOL is 0/1. */
export const arrays = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
};

export type StDType = keyof typeof arrays;
export type StArray = InstanceType<(typeof arrays)[StDType]>;

export interface StTensor {
  readonly dtype: StDType;
  readonly shape: readonly number[];
  readonly data: StArray;
}

/** What a file holds, wherever it is: in memory, or where it lies. */
export interface Bytes {
  readonly length: number;
  /** `count` bytes from `from` on, fewer at the end; not to be written to. */
  at(from: number, count: number): Uint8Array;
}

export const inMemory = (bytes: Uint8Array): Bytes => ({
  length: bytes.length,
  at: (from, count) => bytes.subarray(from, from + count),
});

/** Where the values of a tensor are in a file: the same for all rows along the leading axis, so that each can be read alone. */
export interface Layout {
  readonly dtype: StDType;
  readonly shape: readonly number[];
  readonly start: number;
  /** Bytes from one row to the next, where there is something between them. */
  readonly stride?: number;
  /** Whether the highest byte comes first. */
  readonly swapped?: boolean;
}

export const widthOf = (dtype: StDType): number => arrays[dtype].BYTES_PER_ELEMENT;

/** Bytes of a row along the leading axis, or of everything where there is none. */
export const rowBytes = ({ dtype, shape }: Layout): number =>
  shape.slice(1).reduce((n, d) => n * d, 1) * widthOf(dtype);

/** The whole tensor. */
export function readLayout(layout: Layout, bytes: Bytes): StTensor {
  const { dtype, shape, start, stride } = layout;
  if (stride !== undefined) return readRows(layout, bytes, { length: shape[0]! });
  let size = widthOf(dtype);
  for (const extent of shape) size *= extent;
  // A copy, as offsets in a file need not be aligned; the `slice` of Node's Buffer would not copy.
  return tensorOf(layout, shape, new Uint8Array(bytes.at(start, size)));
}

/** Rows along the leading axis; `rows` without numbers are the first ones. */
export function readRows(layout: Layout, bytes: Bytes, rows: ArrayLike<number>): StTensor {
  const size = rowBytes(layout);
  const all = new Uint8Array(rows.length * size);
  for (let i = 0; i < rows.length; i++)
    all.set(bytes.at(layout.start + (rows[i] ?? i) * (layout.stride ?? size), size), i * size);
  return tensorOf(layout, [rows.length, ...layout.shape.slice(1)], all);
}

function tensorOf(
  { dtype, swapped }: Layout,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): StTensor {
  const holds: new (buffer: ArrayBuffer) => StArray = arrays[dtype];
  const width = widthOf(dtype);
  if (swapped && width > 1)
    for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return { dtype, shape, data: new holds(bytes.buffer) };
}
