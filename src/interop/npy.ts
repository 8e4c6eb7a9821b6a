import { unzipSync } from 'fflate';
import { damagedData, fail } from '../support/errors/data.ts';
import { type Bytes, inMemory, type Layout, readLayout, type StDType, type StTensor } from './layout.ts';

/** numpy's type codes with the format's names. */
const types: Readonly<Record<string, StDType>> = {
  b1: 'BOOL',
  u1: 'U8',
  i1: 'I8',
  u2: 'U16',
  i2: 'I16',
  u4: 'U32',
  i4: 'I32',
  u8: 'U64',
  i8: 'I64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
};

/** More than any header takes. */
const most = 1 << 20;

/** An array of numpy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Throws E0421. */
export function npyLayout(all: Bytes, file: string): Layout {
  const bytes = all.at(0, most);
  const magic = [0x93, ...new TextEncoder().encode('NUMPY')];
  if (magic.some((b, i) => bytes[i] !== b))
    fail(damagedData(file, 0, 'this is no array of numpy', 'write it with numpy.save'));
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  if (bytes.length < start) fail(damagedData(file, bytes.length, 'the file ends within its header'));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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
  const width = Number(code!.slice(1));
  const need = shape.reduce((n, d) => n * d, 1) * width;
  if (all.length - from !== need) {
    const what = `the array [${shape.join(', ')}] needs ${need} bytes, but ${all.length - from} follow`;
    fail(damagedData(file, Math.min(all.length, from + need), what, 'copy or write the file again'));
  }
  return { dtype: known, shape, start: from, swapped: order === '>' };
}

/** The whole array. Throws E0421. */
export function readNpy(bytes: Uint8Array, file: string): StTensor {
  const all = inMemory(bytes);
  return readLayout(npyLayout(all, file), all);
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
