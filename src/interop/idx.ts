import { damagedData, fail } from '../support/errors/data.ts';
import { type Bytes, type Layout, type StDType, widthOf } from './layout.ts';

const types: Readonly<Record<number, StDType>> = {
  8: 'U8',
  9: 'I8',
  11: 'I16',
  12: 'I32',
  13: 'F32',
  14: 'F64',
};

/** Whether a file begins as IDX does: two zeros, a type, the number of axes. */
export const isIdx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0 && bytes[1] === 0 && bytes[2]! in types && bytes[3]! > 0 && bytes[3]! < 16;

/** A tensor in the format of MNIST: sizes and values with the highest byte first. Throws E0421. */
export function idxLayout(all: Bytes, file: string): Layout {
  const bytes = all.at(0, 4 + 4 * 15);
  if (!isIdx(bytes))
    fail(damagedData(file, 0, 'this is no IDX file', 'the files of MNIST begin with 00 00 08'));
  const dtype = types[bytes[2]!]!;
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (all.length < start) fail(damagedData(file, all.length, 'the file ends within its header'));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const need = shape.reduce((n, d) => n * d, 1) * widthOf(dtype);
  if (all.length - start !== need) {
    const what = `[${shape.join(', ')}] needs ${need} bytes, but ${all.length - start} follow`;
    fail(damagedData(file, Math.min(all.length, start + need), what, 'download the file again'));
  }
  return { dtype, shape, start, swapped: true };
}
