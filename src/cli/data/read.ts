import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readCifar } from '../../interop/cifar.ts';
import { readCsv } from '../../interop/csv.ts';
import { isIdx, readIdx } from '../../interop/idx.ts';
import { readNpy, readNpz } from '../../interop/npy.ts';
import type { StTensor } from '../../interop/safetensors.ts';
import * as D from '../../ir/dim.ts';
import { damagedData, fail } from '../../support/errors/data.ts';
import { usageError } from '../errors.ts';
import { decode, readBytes, readTensors } from '../files.ts';
import { fromArray, hostTensor, type TensorSpec } from '../tensors.ts';
import { type Column, type Found, fitColumns, stored } from './column.ts';

/**
 * The data that `--data` names: a file or folder, or several, separated by commas. `NAME=FILE` says which of the
 * program's data a file with a single tensor is; otherwise they come in the program's order.
 */
export async function readColumns(
  path: string,
  specs: readonly TensorSpec[],
  seed: number,
): Promise<ReadonlyMap<string, Column>> {
  const parts = existsSync(path) ? [path] : path.split(',');
  const found: Found[] = [];
  for (const part of parts) {
    const [, name, file] = existsSync(part) ? [] : (/^([A-Za-z_]\w*)=(.*)$/.exec(part) ?? []);
    const columns = await readSource(file ?? part, specs, seed);
    if (name === undefined) found.push(...columns);
    else if (columns.length !== 1)
      throw usageError(`${part}: ${file} has ${columns.length} tensors`, 'leave the name out');
    else found.push({ ...columns[0]!, name });
  }
  return fitColumns(found, specs);
}

async function readSource(file: string, specs: readonly TensorSpec[], seed: number): Promise<Found[]> {
  if (existsSync(file) && statSync(file).isDirectory()) return readFolder(file, specs);
  if (/\.[cm]?js$/.test(file)) {
    readBytes(file);
    return (await import('./module.ts')).readModule(file, seed);
  }
  const tensors = (): Found[] =>
    [...readTensors(file)].map(([name, value]) => ({ name, column: stored(value), exact: true }));
  if (file.endsWith('.safetensors')) return tensors();
  let bytes: Uint8Array = readBytes(file);
  const plain = file.replace(/\.gz$/, '');
  if (plain !== file)
    try {
      bytes = gunzipSync(bytes);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      fail(damagedData(file, 0, `this is no whole gzip file (${why})`, 'download it again'));
    }
  const single = (tensor: StTensor): Found[] => [
    { column: stored(hostTensor(tensor, file)), isPicture: tensor.dtype === 'U8' && tensor.shape.length > 2 },
  ];
  if (plain.endsWith('.npy')) return single(readNpy(bytes, file));
  if (plain.endsWith('.npz'))
    return [...readNpz(bytes, file)].map(([name, tensor]) => ({
      name,
      column: stored(hostTensor(tensor, `${file}: ${name}`)),
      isPicture: tensor.dtype === 'U8' && tensor.shape.length > 2,
    }));
  if (plain.endsWith('.csv')) return fromCsv(decode(bytes, file), file, specs);
  if (/[-.]idx\d?(-ubyte)?$|ubyte$/.test(plain) || isIdx(bytes)) return single(readIdx(bytes, file));
  if (plain.endsWith('.bin')) return cifar([[bytes, file]]);
  // As before there were others: what has no known name is taken for safetensors, and told to be none.
  return tensors();
}

function cifar(files: readonly (readonly [Uint8Array, string])[]): Found[] {
  const all = files.map(([bytes, file]) => readCifar(bytes, file));
  const n = all.reduce((sum, { labels }) => sum + labels.shape[0]!, 0);
  const joined = (parts: readonly StTensor[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(Buffer.concat(parts.map(p => p.data as Uint8Array)));
  const pictures = joined(all.map(a => a.pictures));
  const labels = Int32Array.from(joined(all.map(a => a.labels)));
  return [
    { column: stored({ dtype: 'u8', shape: [n, 3, 32, 32], data: pictures }), isPicture: true },
    { column: stored({ dtype: 'i32', shape: [n], data: labels }) },
  ];
}

async function readFolder(folder: string, specs: readonly TensorSpec[]): Promise<Found[]> {
  const batches = readdirSync(folder).filter(name => /^data_batch.*\.bin$/.test(name));
  if (batches.length > 0) {
    const files = batches.sort().map(name => join(folder, name));
    return cifar(files.map(file => [readBytes(file), file]));
  }
  const shape = specs[0]?.type.shape ?? [];
  const channels = shape.length === 4 ? D.constantValue(shape[1]!) : undefined;
  const grey = channels === 1 || (shape.length === 3 && D.constantValue(shape[1]!) !== 3);
  return (await import('./pictures.ts')).readPictures(folder, grey ? 1 : 3);
}

/** Columns named as the program's data are theirs; all others together are the first of the program's data that is left. */
function fromCsv(text: string, file: string, specs: readonly TensorSpec[]): Found[] {
  const columns = readCsv(text, file);
  const names = new Set(specs.map(s => s.name));
  const n = columns[0]!.values.length;
  const own = columns.filter(c => names.has(c.name));
  const rest = columns.filter(c => !names.has(c.name));
  const table = Float64Array.from({ length: n * rest.length }, (_, i) => {
    return rest[i % rest.length]!.values[Math.floor(i / rest.length)]!;
  });
  const column = (shape: readonly number[], data: Float64Array): Column =>
    stored(fromArray({ dtype: 'f32', shape, data }));
  return [
    ...own.map(({ name, values }) => ({ name, column: column([n], values) })),
    ...(rest.length > 0 ? [{ column: column([n, rest.length], table) }] : []),
  ];
}
