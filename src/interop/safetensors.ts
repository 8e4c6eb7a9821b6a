import type { NdArray } from '../ir/primitive.ts';
import type { DType } from '../ir/type.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import * as errors from '../support/errors/data.ts';
import { bfloat16ToNumber, float16ToNumber, numberToFloat16 } from '../support/float16.ts';
import { duplicateName } from './json.ts';
import {
  arrays,
  type Bytes,
  inMemory,
  type Layout,
  readLayout,
  type StDType,
  type StTensor,
} from './layout.ts';

export type { StArray, StDType, StTensor } from './layout.ts';

export interface Safetensors {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, StTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit. */
const maxHeader = 100_000_000;

/**
 * Reads a safetensors file as strictly as its reference implementation: header of at most 100 MB, no name twice,
 * tensors side by side without gaps from the header to the end. Throws `DiagnosticError` E0401 to E0407; `file` is
 * how messages call it. Format: https://huggingface.co/docs/safetensors
 */
export function readSafetensors(bytes: Uint8Array, file = 'safetensors'): Safetensors {
  const all = inMemory(bytes);
  const { layouts, metadata } = safetensorsLayouts(all, file);
  return {
    tensors: new Map([...layouts].map(([name, layout]) => [name, readLayout(layout, all)])),
    metadata,
  };
}

/** Where the tensors of a file are. Throws as `readSafetensors`. */
export function safetensorsLayouts(
  bytes: Bytes,
  file: string,
): { readonly layouts: ReadonlyMap<string, Layout>; readonly metadata: Readonly<Record<string, string>> } {
  const header = readHeader(bytes, file);
  const start = 8 + header.length;
  const length = bytes.length - start;
  const metadata = readMetadata(header.json.__metadata__, file);
  const entries = Object.entries(header.json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry, length, file))
    .sort((a, b) => a.from - b.from || a.to - b.to);

  const layouts = new Map<string, Layout>();
  let end = 0;
  for (const { name, dtype, shape, from, to } of entries) {
    if (from < end) fail(errors.badOffsets(file, name, `its data overlap another tensor's at byte ${from}`));
    if (from > end)
      fail(errors.badOffsets(file, name, `${from - end} bytes before its data belong to no tensor`));
    end = to;
    layouts.set(name, { dtype, shape, start: start + from });
  }
  if (end !== length)
    fail(errors.badOffsets(file, 'end of file', `${length - end} bytes belong to no tensor`));
  return { layouts, metadata };
}

function fail(diagnostic: ReturnType<typeof errors.badHeader>): never {
  throw new DiagnosticError(diagnostic);
}

function readHeader(bytes: Bytes, file: string): { json: Record<string, unknown>; length: number } {
  if (bytes.length < 8) fail(errors.truncatedHeader(file, 8, bytes.length));
  const first = bytes.at(0, 8);
  const view = new DataView(first.buffer, first.byteOffset, 8);
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader) fail(errors.headerTooLarge(file, length, maxHeader));
  if (8 + length > bytes.length) fail(errors.truncatedHeader(file, 8 + length, bytes.length));
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.at(8, length));
    json = JSON.parse(text);
  } catch (error) {
    return fail(errors.badHeader(file, error instanceof Error ? error.message : String(error)));
  }
  if (!isObject(json) || !text.startsWith('{')) fail(errors.badHeader(file, 'it is not a JSON object'));
  const twice = duplicateName(text);
  if (twice !== undefined) fail(errors.duplicateKey(file, twice));
  return { json: json as Record<string, unknown>, length };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value) || !Object.values(value).every(v => typeof v === 'string')) {
    fail(errors.badHeader(file, '__metadata__ is not an object of strings'));
  }
  return value as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: StDType;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

const isNatural = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

function readEntry(name: string, entry: unknown, length: number, file: string): Entry {
  if (!isObject(entry)) return fail(errors.badHeader(file, `${name} is not an object`));
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') return fail(errors.badHeader(file, `${name} has no dtype`));
  if (!Object.hasOwn(arrays, dtype)) {
    return fail(errors.unknownDType(file, name, dtype, Object.keys(arrays)));
  }
  if (!Array.isArray(shape) || !shape.every(isNatural)) {
    return fail(errors.badHeader(file, `the shape of ${name} is not a list of extents`));
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isNatural)) {
    return fail(errors.badHeader(file, `data_offsets of ${name} are not two byte positions`));
  }
  const [from, to] = offsets as [number, number];
  if (from > to || to > length) {
    fail(errors.badOffsets(file, name, `data_offsets [${from}, ${to}] in ${length} bytes of data`));
  }
  const needed = shape.reduce((n, d) => n * d, 1) * arrays[dtype as StDType].BYTES_PER_ELEMENT;
  if (needed !== to - from) {
    fail(errors.wrongByteCount(file, name, `${dtype}[${shape.join(', ')}]`, needed, to - from));
  }
  return { name, dtype: dtype as StDType, shape, from, to };
}

/**
 * Writes a safetensors file. Tensors of larger elements come first, then by name, so that all data are aligned and
 * the same tensors always give the same bytes. Throws `DiagnosticError` E0407 where data and shape disagree.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: StTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const byName = new Map(tensors);
  if (byName.has('__metadata__')) fail(errors.badHeader('__metadata__', 'a tensor cannot have this name'));
  const width = (t: StTensor) => t.data.BYTES_PER_ELEMENT;
  const ordered = [...byName].sort(([a, s], [b, t]) => width(t) - width(s) || (a < b ? -1 : 1));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const needed = shape.reduce((n, d) => n * d, 1) * arrays[dtype].BYTES_PER_ELEMENT;
    if (needed !== data.byteLength) {
      fail(errors.wrongByteCount('output', name, `${dtype}[${shape.join(', ')}]`, needed, data.byteLength));
    }
    header.push([name, { dtype, shape, data_offsets: [end, (end += needed)] }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  let at = start;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

const irTypes: Readonly<Record<StDType, DType>> = {
  BOOL: 'bool',
  U8: 'u8',
  I8: 'i32',
  U16: 'u32',
  I16: 'i32',
  F16: 'f16',
  BF16: 'f32',
  U32: 'u32',
  I32: 'i32',
  F32: 'f32',
  U64: 'u32',
  I64: 'i32',
  F64: 'f32',
};

/**
 * The values as doubles, with the nearest dtype that kernels have. F64 keeps its precision here. Throws
 * `DiagnosticError` E0408 where a 64-bit integer does not fit 32 bits.
 */
export function toNdArray({ dtype, shape, data }: StTensor, name = 'tensor'): NdArray {
  const target = irTypes[dtype];
  let values: Float64Array;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const limits = dtype === 'U64' ? [0n, 0xffff_ffffn] : [-0x8000_0000n, 0x7fff_ffffn];
    values = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value < limits[0]! || value > limits[1]!) fail(errors.unrepresentable(name, `${value}`, target));
      values[i] = Number(value);
    }
  } else if (dtype === 'F16') values = Float64Array.from(data, float16ToNumber);
  else if (dtype === 'BF16') values = Float64Array.from(data, bfloat16ToNumber);
  else if (dtype === 'BOOL') values = Float64Array.from(data, v => (v === 0 ? 0 : 1));
  else values = Float64Array.from(data);
  return { dtype: target, shape, data: values };
}

const stTypes: Readonly<Record<DType, StDType>> = {
  f32: 'F32',
  f16: 'F16',
  i32: 'I32',
  u32: 'U32',
  u8: 'U8',
  bool: 'BOOL',
};

const kernelArrays = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  bool: Uint8Array,
};

const ranges: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
  bool: [0, 1],
};

/**
 * The values in the format's array for `dtype` (default: their own): floats round to nearest even. Throws
 * `DiagnosticError` E0408 for a value that an integer dtype does not have.
 */
export function fromNdArray(array: NdArray, dtype: DType = array.dtype, name = 'tensor'): StTensor {
  const range = ranges[dtype];
  if (range) {
    const bad = array.data.find(v => !(Number.isInteger(v) && v >= range[0] && v <= range[1]));
    if (bad !== undefined) fail(errors.unrepresentable(name, `${bad}`, dtype));
  }
  const data =
    dtype === 'f16' ? Uint16Array.from(array.data, numberToFloat16) : new kernelArrays[dtype](array.data);
  return { dtype: stTypes[dtype], shape: array.shape, data };
}
