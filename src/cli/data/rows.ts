import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Bytes, inMemory, type Layout, readLayout, readRows, rowBytes } from '../../interop/layout.ts';
import { fail, unusableData } from '../../support/errors/data.ts';
import { readBytes } from '../files.ts';
import { hostTensor } from '../tensors.ts';
import { type Column, stored } from './column.ts';

/** Files larger than this stay where they are, and batches are read as they are wanted. */
export const large = 64 * 2 ** 20;

/** Bytes that are looked at in one piece. */
const piece = 2 ** 22;

interface FileBytes extends Bytes {
  readonly onDisk?: boolean;
}

/** A file's content, in memory where it is at most `limit` bytes. Throws a usage error where it cannot be read. */
export function openBytes(path: string, limit = large): FileBytes {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return inMemory(readBytes(path));
  }
  const stats = fstatSync(file);
  if (!stats.isFile() || stats.size <= limit) {
    closeSync(file);
    return inMemory(readBytes(path));
  }
  // Open as long as the process: a file that is replaced meanwhile stays what it was.
  return {
    onDisk: true,
    length: stats.size,
    at(from, count) {
      const bytes = new Uint8Array(Math.max(0, Math.min(count, stats.size - from)));
      let read = 0;
      while (read < bytes.length) {
        const more = readSync(file, bytes, read, bytes.length - read, from + read);
        if (more === 0)
          fail(unusableData(path, 'the file has become shorter while it was read', 'start again'));
        read += more;
      }
      return bytes;
    },
  };
}

/** A tensor of a file. Of one on disk the rows that are wanted are read, and everything once, for what is wrong with it. */
export function columnIn(layout: Layout, bytes: FileBytes, name: string): Column {
  if (!bytes.onDisk || layout.shape.length === 0) return stored(hostTensor(readLayout(layout, bytes), name));
  const { shape } = layout;
  const rows = shape[0]!;
  const { dtype } = hostTensor(readRows(layout, bytes, []), name);
  const some = (wanted: ArrayLike<number>) => hostTensor(readRows(layout, bytes, wanted), name);
  return {
    dtype,
    shape,
    take: wanted => (wanted ? some(wanted) : hostTensor(readLayout(layout, bytes), name)),
    hash(hash) {
      const step = Math.max(1, Math.floor(piece / (rowBytes(layout) || 1)));
      for (let from = 0; from < rows; from += step) {
        const part = {
          ...layout,
          shape: [Math.min(step, rows - from), ...shape.slice(1)],
          start: layout.start + from * (layout.stride ?? rowBytes(layout)),
        };
        const { data } = hostTensor(readLayout(part, bytes), name);
        hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
    },
  };
}
