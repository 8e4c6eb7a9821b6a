import { unzipSync } from 'fflate';
import { damagedData, fail } from '../support/errors/data.ts';
import type { StArray, StTensor } from './safetensors.ts';

/** numpy's type codes with the names and arrays that hold them. Bytes come before what reads them as one of these. */
const types: Readonly<Record<string, readonly [StTensor['dtype'], new (bytes: ArrayBuffer) => StArray]>> = {
  b1: ['BOOL', Uint8Array],
  u1: ['U8', Uint8Array],
  i1: ['I8', Int8Array],
  u2: ['U16', Uint16Array],
  i2: ['I16', Int16Array],
  u4: ['U32', Uint32Array],
  i4: ['I32', Int32Array],
  u8: ['U64', BigUint64Array],
  i8: ['I64', BigInt64Array],
  f2: ['F16', Uint16Array],
  f4: ['F32', Float32Array],
  f8: ['F64', Float64Array],
};

/** An array of numpy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Throws E0421. */
export function readNpy(bytes: Uint8Array, file: string): StTensor {
  const magic = [0x93, ...new TextEncoder().encode('NUMPY')];
  if (magic.some((b, i) => bytes[i] !== b))
    fail(damagedData(file, 0, 'this is no array of numpy', 'write it with numpy.save'));
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  if (bytes.length < start) fail(damagedData(file, bytes.length, 'the file ends within its header'));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const from = start + length;
  if (from > bytes.length) fail(damagedData(file, bytes.length, 'the file ends within its header'));
  const header = new TextDecoder().decode(bytes.subarray(start, from));
  const [, order, code] = /'descr':\s*'([<>|=])([a-z]\d+)'/.exec(header) ?? [];
  const [, list] = /'shape':\s*\(([\d,\sL]*)\)/.exec(header) ?? [];
  const known = code === undefined ? undefined : types[code];
  if (!known || list === undefined) {
    const what = /'descr':\s*('[^']*'|\[.*?\])/.exec(header)?.[1] ?? 'no type';
    return fail(
      damagedData(
        file,
        start,
        `the header has ${what}, which is no array of numbers`,
        'write plain numbers: array.astype("float32")',
      ),
    );
  }
  if (/'fortran_order':\s*True/.test(header))
    fail(
      damagedData(file, start, 'the array is in column order', 'write numpy.ascontiguousarray of it instead'),
    );
  const shape = (list.match(/\d+/g) ?? []).map(Number);
  const [dtype, holds] = known;
  const width = Number(code!.slice(1));
  const need = shape.reduce((n, d) => n * d, 1) * width;
  if (bytes.length - from !== need) {
    const what = `the array [${shape.join(', ')}] needs ${need} bytes, but ${bytes.length - from} follow`;
    fail(damagedData(file, Math.min(bytes.length, from + need), what, 'copy or write the file again'));
  }
  const own = new Uint8Array(bytes.subarray(from));
  if (order === '>') reverseBytes(own, width);
  return { dtype, shape, data: new holds(own.buffer) };
}

/** Arrays by name, compressed or not. Throws E0421. */
export function readNpz(bytes: Uint8Array, file: string): Map<string, StTensor> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(damagedData(file, 0, `this is no whole zip archive (${why})`, 'write it with numpy.savez'));
  }
  return new Map(
    Object.entries(entries).map(([name, entry]) => [
      name.replace(/\.npy$/, ''),
      readNpy(entry, `${file}: ${name}`),
    ]),
  );
}

/** From the other order of bytes to this one, in place. */
export function reverseBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
