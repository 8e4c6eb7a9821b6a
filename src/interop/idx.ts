import { damagedData, fail } from '../support/errors/data.ts';
import { reverseBytes } from './npy.ts';
import type { StArray, StTensor } from './safetensors.ts';

const types: Readonly<
  Record<number, readonly [StTensor['dtype'], number, new (bytes: ArrayBuffer) => StArray]>
> = {
  8: ['U8', 1, Uint8Array],
  9: ['I8', 1, Int8Array],
  11: ['I16', 2, Int16Array],
  12: ['I32', 4, Int32Array],
  13: ['F32', 4, Float32Array],
  14: ['F64', 8, Float64Array],
};

/** Whether a file begins as IDX does: two zeros, a type, the number of axes. */
export const isIdx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0 && bytes[1] === 0 && bytes[2]! in types && bytes[3]! > 0 && bytes[3]! < 16;

/** A tensor in the format of MNIST: sizes and values with the highest byte first. Throws E0421. */
export function readIdx(bytes: Uint8Array, file: string): StTensor {
  if (!isIdx(bytes))
    fail(damagedData(file, 0, 'this is no IDX file', 'the files of MNIST begin with 00 00 08'));
  const [dtype, width, holds] = types[bytes[2]!]!;
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (bytes.length < start) fail(damagedData(file, bytes.length, 'the file ends within its header'));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const need = shape.reduce((n, d) => n * d, 1) * width;
  if (bytes.length - start !== need) {
    const what = `[${shape.join(', ')}] needs ${need} bytes, but ${bytes.length - start} follow`;
    fail(damagedData(file, Math.min(bytes.length, start + need), what, 'download the file again'));
  }
  const own = new Uint8Array(bytes.subarray(start));
  if (width > 1) reverseBytes(own, width);
  return { dtype, shape, data: new holds(own.buffer) };
}
