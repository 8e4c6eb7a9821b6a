import type { DType, Size } from './plan.ts';

export type TypedArray =
  | Float32Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray;

/** A dense row-major tensor on the host. f16 is raw bits in a Uint16Array, bool is 0/1 in a Uint8Array. */
export interface TensorValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** What a run takes: the values alone where their count tells the shape, else with the shape. */
export type TensorInput = TypedArray | { readonly data: TypedArray; readonly shape: readonly number[] };

const arrays = {
  f32: Float32Array,
  f16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  bool: Uint8Array,
};

export const dtypes = Object.keys(arrays) as DType[];

/** The typed array that holds `dtype` on the host. */
export const arrayOf = (dtype: DType): (typeof arrays)[DType] => arrays[dtype];

/** The class name of an array; holds across realms (frames, test sandboxes), where `instanceof` does not. */
export const className = (data: unknown): string => Object.prototype.toString.call(data).slice(8, -1);

export function accepts(dtype: DType, data: unknown): data is TypedArray {
  const name = className(data);
  if (name === arrays[dtype].name) return true;
  return dtype === 'f16' ? name === 'Float16Array' : dtype === 'u8' && name === 'Uint8ClampedArray';
}

export const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export const evaluate = (size: Size, dims: readonly number[]): number =>
  typeof size === 'number' ? size : size(...dims);

export const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Whether a value takes a 32-bit word on the device though it is smaller on the host. */
const widened = (dtype: DType, packed: boolean): boolean => dtype === 'bool' || (dtype === 'u8' && !packed);

/** Bytes of `n` values on the device, a multiple of 4. `packed`: u8 lies four to a word (program inputs). */
export const deviceBytes = (dtype: DType, n: number, packed = false): number =>
  widened(dtype, packed) ? n * 4 : roundUp(n * arrays[dtype].BYTES_PER_ELEMENT, 4);

/** Host values as the device stores them. A view of `data` where the layout is the same. */
export function encode(dtype: DType, data: TypedArray, packed = false): Uint8Array<ArrayBuffer> {
  if (widened(dtype, packed)) {
    const words = Uint32Array.from(data, dtype === 'bool' ? v => (v ? 1 : 0) : v => v);
    return new Uint8Array(words.buffer);
  }
  const { buffer, byteOffset, byteLength } = data;
  // `writeBuffer` takes multiples of 4, and Dawn in Node refuses shared memory.
  if (byteLength % 4 === 0 && className(buffer) === 'ArrayBuffer') {
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  }
  const copy = new Uint8Array(roundUp(byteLength, 4));
  copy.set(new Uint8Array(buffer, byteOffset, byteLength));
  return copy;
}

/** The inverse of `encode` (unpacked) at `offset` of `bytes`; always a copy. */
export function decode(dtype: DType, memory: ArrayBufferLike, offset: number, n: number): TypedArray {
  const bytes = memory as ArrayBuffer;
  if (widened(dtype, false)) return Uint8Array.from(new Uint32Array(bytes, offset, n));
  const type = arrays[dtype];
  return new type(new type(bytes, offset, n));
}

/** `f32[N, 28, 28]`; an extent that is neither a number nor a name prints as `?`. */
export function typeName(dtype: string, shape: readonly (Size | string)[]): string {
  return shape.length === 0
    ? dtype
    : `${dtype}[${shape.map(d => (typeof d === 'function' ? '?' : d)).join(', ')}]`;
}
