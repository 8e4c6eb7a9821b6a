import type { Hash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { damagedData, fail, unusableData } from '../../support/errors/data.ts';
import { readBytes } from '../files.ts';
import { type Found, stored } from './column.ts';

const isPicture = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/**
 * Pictures in folders, each of which is a class; the classes are numbered in alphabetical order. Files are decoded when
 * their batch is made, and read once before that: what is wrong with one is told before the training begins.
 */
export function readPictures(folder: string, channels: 1 | 3): Found[] {
  const list = (path: string): string[] => readdirSync(path).sort();
  const classes = list(folder).filter(name => statSync(join(folder, name)).isDirectory());
  const files = classes.flatMap((name, label) =>
    list(join(folder, name))
      .filter(isPicture)
      .map(file => ({ path: join(folder, name, file), label })),
  );
  if (files.length === 0)
    fail(
      unusableData(
        folder,
        'there is no picture in it',
        'each class is a folder of its own in it, with .png or .jpg files',
      ),
    );
  const sizes = files.map(({ path }) => sizeOf(readBytes(path), path));
  const [width, height] = sizes[0]!;
  const other = sizes.findIndex(([w, h]) => w !== width || h !== height);
  if (other > 0) {
    const [w, h] = sizes[other]!;
    const what = `the picture is ${w}×${h}, but ${files[0]!.path} is ${width}×${height}`;
    fail(unusableData(files[other]!.path, what, 'bring all pictures to one size first'));
  }
  const size = channels * width * height;
  return [
    {
      isPicture: true,
      column: {
        dtype: 'u8',
        shape: [files.length, channels, height, width],
        take(rows = files.map((_, i) => i)) {
          const data = new Uint8Array(rows.length * size);
          for (let i = 0; i < rows.length; i++)
            data.set(decode(files[rows[i]!]!.path, channels, width, height), i * size);
          return { dtype: 'u8', shape: [rows.length, channels, height, width], data };
        },
        hash(hash: Hash) {
          for (const { path } of files) hash.update(readBytes(path));
        },
      },
    },
    {
      column: stored({ dtype: 'i32', shape: [files.length], data: Int32Array.from(files, f => f.label) }),
    },
  ];
}

/** Width and height, from the header; throws E0421 where a file is cut off or none of these. */
function sizeOf(bytes: Buffer, file: string): readonly [number, number] {
  const cut = 'the file ends within the picture';
  if (bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))) {
    // Chunks: length, kind, content, checksum.
    let at = 8;
    while (at + 12 <= bytes.length && bytes.toString('latin1', at + 4, at + 8) !== 'IEND')
      at += 12 + bytes.readUInt32BE(at);
    if (at + 12 > bytes.length) fail(damagedData(file, bytes.length, cut, 'copy it again, or leave it out'));
    return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  }
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    fail(damagedData(file, 0, 'this is neither PNG nor JPEG', 'save it as PNG, or leave it out'));
  // Segments up to the frame's header: FF, kind, length, content.
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const kind = bytes[at + 1]!;
    if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind))
      return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
  }
  return fail(damagedData(file, bytes.length, cut, 'copy it again, or leave it out'));
}

function decode(path: string, channels: 1 | 3, width: number, height: number): Uint8Array {
  const bytes = readBytes(path);
  let rgba: Uint8Array;
  try {
    const { data } =
      bytes[0] === 0x89 ? PNG.sync.read(bytes) : jpeg.decode(bytes, { useTArray: true, formatAsRGBA: true });
    rgba = data;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(unusableData(path, `the picture cannot be decoded: ${why}`, 'save it anew, or leave it out'));
  }
  const plane = width * height;
  if (rgba.length !== 4 * plane)
    fail(unusableData(path, 'the picture has changed while it was read', 'start again'));
  const result = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const [r, g, b] = [rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!];
    // Brightness as television weighs the colours (ITU-R BT.601).
    if (channels === 1) result[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else [result[i], result[plane + i], result[2 * plane + i]] = [r, g, b];
  }
  return result;
}
