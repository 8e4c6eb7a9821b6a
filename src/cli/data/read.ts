import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cifarLayouts } from '../../interop/cifar.ts';
import { readCsv } from '../../interop/csv.ts';
import { idxLayout, isIdx } from '../../interop/idx.ts';
import { type Bytes, inMemory, type Layout } from '../../interop/layout.ts';
import { npyLayout, readNpz } from '../../interop/npy.ts';
import { safetensorsLayouts } from '../../interop/safetensors.ts';
import * as D from '../../ir/dim.ts';
import { damagedData, fail } from '../../support/errors/data.ts';
import { CliError, usageError } from '../errors.ts';
import { decode, readBytes } from '../files.ts';
import { fromArray, hostTensor, type TensorSpec } from '../tensors.ts';
import { type Column, type Found, fitColumns, joined, stored } from './column.ts';
import { columnIn, openBytes } from './rows.ts';
import type { Stream } from './stream.ts';

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

/** A module that says how many examples it has, alone: they are taken as they come. */
export async function readStream(
  path: string,
  specs: readonly TensorSpec[],
  seed: number,
): Promise<Stream | undefined> {
  if (!isModule(path) || !existsSync(path)) return undefined;
  const source = await (await import('./module.ts')).openModule(path);
  const { length } = source;
  if (length === undefined) return undefined;
  return (await import('./stream.ts')).openStream(path, { ...source, length }, specs, seed);
}

const isModule = (file: string): boolean => /\.[cm]?js$/.test(file);

async function readSource(file: string, specs: readonly TensorSpec[], seed: number): Promise<Found[]> {
  if (existsSync(file) && statSync(file).isDirectory()) return readFolder(file, specs);
  if (isModule(file)) {
    readBytes(file);
    return (await import('./module.ts')).readModule(file, seed);
  }
  const isPacked = file.endsWith('.gz');
  const bytes = isPacked ? inMemory(unpacked(file)) : openBytes(file);
  const tensors = (): Found[] =>
    [...safetensorsLayouts(bytes, file).layouts].map(([name, layout]) => ({
      name,
      column: columnIn(layout, bytes, `${file}: ${name}`),
      exact: true,
    }));
  const single = (layout: Layout): Found[] => [
    { column: columnIn(layout, bytes, file), isPicture: layout.dtype === 'U8' && layout.shape.length > 2 },
  ];
  const plain = file.replace(/\.gz$/, '');
  if (file.endsWith('.safetensors')) return tensors();
  if (plain.endsWith('.npy')) return single(npyLayout(bytes, file));
  if (plain.endsWith('.npz'))
    return [...readNpz(whole(bytes), file)].map(([name, tensor]) => ({
      name,
      column: stored(hostTensor(tensor, `${file}: ${name}`)),
      isPicture: tensor.dtype === 'U8' && tensor.shape.length > 2,
    }));
  if (plain.endsWith('.csv')) return fromCsv(decode(whole(bytes), file), file, specs);
  if (/[-.]idx\d?(-ubyte)?$|ubyte$/.test(plain) || isIdx(bytes.at(0, 4)))
    return single(idxLayout(bytes, file));
  if (plain.endsWith('.bin')) return cifar([[bytes, file]]);
  // As before there were others: what has no known name is taken for safetensors, and told to be none.
  return tensors();
}

const whole = (bytes: Bytes): Uint8Array => bytes.at(0, bytes.length);

function unpacked(file: string): Uint8Array {
  try {
    return gunzipSync(readBytes(file));
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return fail(damagedData(file, 0, `this is no whole gzip file (${why})`, 'download it again'));
  }
}

/** Pictures and their classes, of all files one after the other. */
function cifar(files: readonly (readonly [Bytes, string])[]): Found[] {
  const parts = files.map(([bytes, file]) => {
    const { pictures, labels } = cifarLayouts(bytes, file);
    const { data } = columnIn(labels, bytes, file).take();
    return { pictures: columnIn(pictures, bytes, file), labels: [...data] };
  });
  const labels = Int32Array.from(parts.flatMap(p => p.labels));
  return [
    { column: joined(parts.map(p => p.pictures)), isPicture: true },
    { column: stored({ dtype: 'i32', shape: [labels.length], data: labels }) },
  ];
}

async function readFolder(folder: string, specs: readonly TensorSpec[]): Promise<Found[]> {
  const batches = readdirSync(folder).filter(name => /^data_batch.*\.bin$/.test(name));
  if (batches.length > 0) {
    const files = batches.sort().map(name => join(folder, name));
    return cifar(files.map(file => [openBytes(file), file]));
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
