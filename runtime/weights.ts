import type { DType } from './plan.ts';
import { arrayOf, count, dtypes, type TensorValue, typeName } from './tensor.ts';

/**
 * Reads a safetensors file: 8 bytes of header length (little endian), a JSON header
 * `{name: {dtype, shape, data_offsets}}`, the values.
 * Throws an Error where the file is damaged or has a dtype that kernels do not know.
 */
export function readWeights(file: ArrayBuffer | Uint8Array): Record<string, TensorValue> {
  const { buffer = file as ArrayBuffer, byteOffset, byteLength } = file as Partial<Uint8Array>;
  // A plain view: the `slice` of Node's Buffer would not copy.
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const fail = (what: string): never => {
    throw new Error(`not a safetensors file: ${what}`);
  };
  if (bytes.length < 8) fail('shorter than 8 bytes');
  const start = 8 + Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  if (start > bytes.length) fail('the header is longer than the file');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  } catch {
    fail('the header is no JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('the header is no object');
  const tensors: [string, TensorValue][] = [];
  for (const [name, entry] of Object.entries(header as Record<string, Partial<Entry> | null>)) {
    if (name === '__metadata__') continue;
    const shape = entry?.shape;
    const [from, to] = entry?.data_offsets ?? [];
    if (!natural(shape) || !natural([from, to])) return fail(`bad entry ${name}`);
    const dtype = dtypes.find(d => nameOf(d) === entry?.dtype);
    if (!dtype) throw new Error(`${name}: the runtime has no dtype ${entry?.dtype}`);
    const type = arrayOf(dtype);
    if (to! - from! !== count(shape) * type.BYTES_PER_ELEMENT || start + to! > bytes.length) {
      fail(`${name} does not fit its place`);
    }
    tensors.push([name, { dtype, shape, data: new type(bytes.slice(start + from!, start + to!).buffer) }]);
  }
  return Object.fromEntries(tensors);
}

/** What the file calls a dtype. */
const nameOf = (dtype: DType): string => dtype.toUpperCase();

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}

const natural = (list: unknown): list is number[] =>
  Array.isArray(list) && list.every(n => Number.isSafeInteger(n) && n >= 0);

/** Writes a safetensors file; tensors in the order given, the header padded to a multiple of 8. */
export function writeWeights(
  tensors: Readonly<Record<string, TensorValue>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = metadata ? [['__metadata__', metadata]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (data.length !== count(shape)) {
      throw new Error(`${name}: ${typeName(dtype, shape)} with ${data.length} values`);
    }
    header.push([name, { dtype: nameOf(dtype), shape, data_offsets: [end, (end += data.byteLength)] }]);
  }
  let json = JSON.stringify(Object.fromEntries(header));
  const encoder = new TextEncoder();
  json += ' '.repeat(-encoder.encode(json).length & 7);
  const head = encoder.encode(json);
  const file = new Uint8Array(8 + head.length + end);
  new DataView(file.buffer).setUint32(0, head.length, true);
  file.set(head, 8);
  let at = 8 + head.length;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
