import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import type { TensorValue } from '../../runtime/index.ts';
import type { Column } from '../../src/cli/data/column.ts';
import { readColumns, readStream } from '../../src/cli/data/read.ts';
import { columnIn, openBytes } from '../../src/cli/data/rows.ts';
import type { FeedOrder, Stream } from '../../src/cli/data/stream.ts';
import type { TensorSpec } from '../../src/cli/tensors.ts';
import { cifarLayouts } from '../../src/interop/cifar.ts';
import { idxLayout } from '../../src/interop/idx.ts';
import { npyLayout } from '../../src/interop/npy.ts';
import { safetensorsLayouts, writeSafetensors } from '../../src/interop/safetensors.ts';
import * as D from '../../src/ir/dim.ts';
import { type DType, tensor } from '../../src/ir/type.ts';
import { DiagnosticError } from '../../src/support/diagnostic.ts';
import { dnnc, temporaryFolder, tiny, writeTensors } from './helpers.ts';

const at = temporaryFolder();
const N = D.symbol('N');

const spec = (name: string, dtype: DType, ...sizes: readonly number[]): TensorSpec => ({
  name,
  type: tensor(dtype, [N, ...sizes.map(D.constant)]),
});

async function read(path: string, ...specs: readonly TensorSpec[]): Promise<Record<string, TensorValue>> {
  const columns = await readColumns(path, specs, 7);
  return Object.fromEntries([...columns].map(([name, column]) => [name, column.take()]));
}

function write(name: string, bytes: string | Uint8Array): string {
  const path = at(name);
  writeFileSync(path, bytes);
  return path;
}

/** As numpy.save writes it, version 1. */
function npy(descr: string, shape: readonly number[], data: Uint8Array, order = 'False'): Uint8Array {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const head = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${list}), }`;
  const header = `${head.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.of(118, 0),
    Buffer.from(header),
    data,
  ]);
}

const f32Bytes = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

function idx(type: number, shape: readonly number[], data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE((type << 8) | shape.length);
  shape.forEach((d, i) => {
    head.writeUInt32BE(d, 4 + 4 * i);
  });
  return Buffer.concat([head, data]);
}

const images = Uint8Array.from({ length: 3 * 4 }, (_, i) => i * 20);

/** What is wrong with data. */
async function wrong(path: string, ...specs: readonly TensorSpec[]): Promise<string> {
  const error = await read(path, ...specs).then(
    () => undefined,
    e => e,
  );
  if (!(error instanceof DiagnosticError)) throw error ?? new Error('it can be read');
  const [{ code, message, hint }] = error.diagnostics as [(typeof error.diagnostics)[number]];
  expect(code).toBe('E0421');
  return hint === undefined ? message : `${message} (${hint})`;
}

describe('numpy', () => {
  it('reads arrays of both byte orders, and archives by name', async () => {
    const little = npy('<f4', [2, 2], f32Bytes(1, 2, 3, 4));
    const big = npy('>i2', [2], Uint8Array.of(1, 0, 0xff, 0xff));
    const expected = { x: { dtype: 'f32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } };
    expect(await read(write('x.npy', little), spec('x', 'f32', 2))).toEqual(expected);
    for (const level of [0, 9] as const) {
      const zip = write('all.npz', zipSync({ 'y.npy': big, 'x.npy': little }, { level }));
      const all = await read(zip, spec('x', 'f32', 2), spec('y', 'i32'));
      expect(all).toEqual({ ...expected, y: { dtype: 'i32', shape: [2], data: Int32Array.of(256, -1) } });
    }
  });

  it('takes files in the order of the data, or by the names that are given', async () => {
    const x = write('x.npy', npy('<f4', [2, 1], f32Bytes(5, 6)));
    const y = write('y.npy', npy('|u1', [2], Uint8Array.of(1, 0)));
    const specs = [spec('x', 'f32', 1), spec('y', 'i32')];
    const expected = await read(`${x},${y}`, ...specs);
    expect([...expected.x!.data, ...expected.y!.data]).toEqual([5, 6, 1, 0]);
    expect(await read(`y=${y},x=${x}`, ...specs)).toEqual(expected);
    expect(await read(`y=${y},${x}`, ...specs)).toEqual(expected);
  });

  it('tells what is wrong, and where', async () => {
    const whole = npy('<f4', [2, 2], f32Bytes(1, 2, 3, 4));
    expect(await wrong(write('a.npy', 'hello'))).toMatch(/a\.npy: at byte 0: this is no array of numpy/);
    expect(await wrong(write('b.npy', whole.subarray(0, 60)))).toContain('at byte 60: the file ends within');
    expect(await wrong(write('c.npy', whole.subarray(0, 140)))).toContain(
      'at byte 140: the array [2, 2] needs 16',
    );
    expect(await wrong(write('d.npy', npy('|O', [1], new Uint8Array(8))))).toContain("'|O'");
    expect(await wrong(write('e.npy', npy('<f4', [1], f32Bytes(1), 'True')))).toContain('column order');
    expect(await wrong(write('f.npz', whole))).toContain('no whole zip archive');
  });
});

describe('IDX', () => {
  it('reads pictures and labels, gzipped too, in the shape that is wanted', async () => {
    const x = write('x-idx3-ubyte.gz', gzipSync(idx(8, [3, 2, 2], images)));
    const y = write('y-idx1-ubyte', idx(8, [3], Uint8Array.of(7, 0, 9)));
    const bytes = await read(`${x},${y}`, spec('x', 'u8', 1, 2, 2), spec('y', 'i32'));
    expect(bytes.x).toEqual({ dtype: 'u8', shape: [3, 1, 2, 2], data: images });
    expect(bytes.y).toEqual({ dtype: 'i32', shape: [3], data: Int32Array.of(7, 0, 9) });
    const floats = await read(`${x},${y}`, spec('x', 'f32', 4), spec('y', 'i32'));
    expect(floats.x).toEqual({ dtype: 'f32', shape: [3, 4], data: Float32Array.from(images, v => v / 255) });
    const wide = await read(write('w.idx', idx(11, [2], Uint8Array.of(1, 2, 0xff, 0xfe))), spec('y', 'i32'));
    expect([...wide.y!.data]).toEqual([258, -2]);
  });

  it('takes the rows of a batch alone', async () => {
    const x = write('x-idx3-ubyte', idx(8, [3, 2, 2], images));
    const column = (await readColumns(x, [spec('x', 'f32', 4)], 0)).get('x')!;
    const { shape, data } = column.take([2, 0]);
    expect(shape).toEqual([2, 4]);
    expect([...data]).toEqual(
      [...images.subarray(8), ...images.subarray(0, 4)].map(v => Math.fround(v / 255)),
    );
  });

  it('tells what is wrong, and where', async () => {
    const whole = idx(8, [3, 2, 2], images);
    expect(await wrong(write('a-ubyte', 'hello'))).toContain('at byte 0: this is no IDX file');
    expect(await wrong(write('b-ubyte', whole.subarray(0, 20)))).toContain(
      'at byte 20: [3, 2, 2] needs 12 bytes',
    );
    expect(await wrong(write('c-ubyte', whole.subarray(0, 9)))).toContain('at byte 9: the file ends');
    expect(await wrong(write('d-ubyte.gz', gzipSync(whole).subarray(0, 25)))).toContain('no whole gzip file');
  });
});

describe('CIFAR-10', () => {
  const example = (label: number, value: number): Uint8Array =>
    Buffer.concat([Buffer.of(label), Buffer.alloc(3072, value)]);

  it('reads a file, and the batches of a folder in order', async () => {
    const folder = at('cifar/data_batch_1.bin').replace('/data_batch_1.bin', '');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'data_batch_2.bin'), example(2, 20));
    writeFileSync(join(folder, 'data_batch_1.bin'), Buffer.concat([example(9, 51), example(0, 0)]));
    writeFileSync(join(folder, 'test_batch.bin'), example(5, 20));
    const all = await read(folder, spec('x', 'f32', 3, 32, 32), spec('y', 'i32'));
    expect([...all.y!.data]).toEqual([9, 0, 2]);
    expect(all.x!.shape).toEqual([3, 3, 32, 32]);
    expect(all.x!.data[0]).toBe(Math.fround(0.2));
    const test = await read(join(folder, 'test_batch.bin'), spec('x', 'u8', 3, 32, 32), spec('y', 'i32'));
    expect([test.x!.data[3071], ...test.y!.data]).toEqual([20, 5]);
    // A program without labels leaves them.
    expect(Object.keys(await read(folder, spec('x', 'u8', 3, 32, 32)))).toEqual(['x']);
  });

  it('tells what is wrong, and where', async () => {
    const cut = Buffer.concat([example(1, 1), example(2, 2).subarray(0, 100)]);
    expect(await wrong(write('a.bin', cut))).toContain(
      'at byte 3073: an example takes 3073 bytes, but the last one has 100',
    );
    expect(await wrong(write('b.bin', Buffer.concat([example(1, 1), example(10, 2)])))).toContain(
      'at byte 3073: example 1 has class 10',
    );
  });
});

describe('pictures', () => {
  const png = (width: number, height: number, [r, g, b]: readonly [number, number, number]): Buffer => {
    const image = new PNG({ width, height });
    for (let i = 0; i < width * height; i++) image.data.set([r, g, b, 255], 4 * i);
    return PNG.sync.write(image);
  };

  function folder(name: string, files: Readonly<Record<string, Uint8Array>>): string {
    for (const [path, bytes] of Object.entries(files)) writeFileSync(at(`${name}/${path}`), bytes);
    return at(`${name}/x`).replace(/\/x$/, '');
  }

  it('reads classes from folders, in colour and in grey', async () => {
    const grey = { data: Buffer.alloc(4 * 6 * 4, 128), width: 6, height: 4 };
    const path = folder('zoo', {
      'dog/b.png': png(6, 4, [255, 0, 0]),
      'cat/a.jpg': jpeg.encode(grey, 95).data,
      'dog/a.PNG': png(6, 4, [0, 0, 255]),
      'dog/notes.txt': Buffer.from('no picture'),
    });
    const all = await read(path, spec('x', 'u8', 3, 4, 6), spec('y', 'i32'));
    expect(all.y).toEqual({ dtype: 'i32', shape: [3], data: Int32Array.of(0, 1, 1) });
    expect(all.x!.shape).toEqual([3, 3, 4, 6]);
    expect(Math.abs(all.x!.data[0]! - 128)).toBeLessThan(3);
    expect([72, 96, 120, 144, 168, 192].map(i => all.x!.data[i])).toEqual([0, 0, 255, 255, 0, 0]);
    const one = await read(path, spec('x', 'f32', 1, 4, 6));
    expect(one.x!.shape).toEqual([3, 1, 4, 6]);
    expect(one.x!.data[24]).toBe(Math.fround(Math.round(0.114 * 255) / 255));
  });

  it('tells what is wrong, and where, before the training', async () => {
    const good = png(6, 4, [1, 2, 3]);
    const x = spec('x', 'u8', 3, 4, 6);
    expect(await wrong(folder('none', { 'a.png': good }), x)).toContain('there is no picture in it');
    expect(await wrong(folder('sizes', { 'a/1.png': good, 'a/2.png': png(5, 4, [0, 0, 0]) }), x)).toMatch(
      /2\.png: the picture is 5×4, but .*1\.png is 6×4 \(bring all/,
    );
    expect(await wrong(folder('cut', { 'a/1.png': good.subarray(0, 50) }), x)).toMatch(
      /1\.png: at byte 50: the file ends/,
    );
    expect(await wrong(folder('text', { 'a/1.jpg': Buffer.from('hello there') }), x)).toMatch(
      /1\.jpg: at byte 0: .*neither/,
    );
    const damaged = Buffer.from(good);
    damaged.fill(0x55, 41, 50);
    expect(await wrong(folder('bits', { 'a/1.png': damaged }), x)).toMatch(
      /1\.png: the picture cannot be decoded/,
    );
  });
});

describe('CSV', () => {
  it('makes a table of what the program does not name, and classes of words', async () => {
    const path = write('iris.csv', 'w,h,"y"\r\n1,2.5,"se, a"\r\n3,-4e1,b\r\n\r\n0,0,b\r\n');
    const all = await read(path, spec('x', 'f32', 2), spec('y', 'i32'));
    expect(all.x).toEqual({ dtype: 'f32', shape: [3, 2], data: Float32Array.of(1, 2.5, 3, -40, 0, 0) });
    expect(all.y).toEqual({ dtype: 'i32', shape: [3], data: Int32Array.of(1, 0, 0) });
  });

  it('tells what is wrong, and where', async () => {
    const specs = [spec('x', 'f32', 1), spec('y', 'i32')];
    const of = (name: string, text: string) => wrong(write(name, text), ...specs);
    expect(await of('a.csv', 'x,y\n1,2\n1\n')).toContain(
      'a.csv: line 3, field 1: there are 1 fields below 2 titles',
    );
    expect(await of('b.csv', 'x,y\n1,2\nfoo,3\n')).toContain('line 3, field 1: x is "foo", among numbers');
    expect(await of('c.csv', 'x,y\n1,\n')).toContain('line 2, field 2: y is empty');
    expect(await of('d.csv', 'x,y\n')).toContain('no line of titles with rows');
    expect(await of('e.csv', 'x,y\n"1,2\n')).toContain('line 2, field 1: a quote is not closed');
  });
});

describe('modules', () => {
  it('collects what an iterable yields', async () => {
    const path = write(
      'gen.mjs',
      `export default async function* ({ seed }) {
        for (let i = 0; i < 3; i++) yield { x: [[i, seed], [0.5, 1]], y: i, z: new Float32Array([i]) };
      }`,
    );
    const all = await read(path, spec('x', 'f32', 2, 2), spec('y', 'i32'), spec('z', 'f32', 1));
    expect([...all.x!.data]).toEqual([0, 7, 0.5, 1, 1, 7, 0.5, 1, 2, 7, 0.5, 1]);
    expect(all.y).toEqual({ dtype: 'i32', shape: [3], data: Int32Array.of(0, 1, 2) });
    expect(all.z!.shape).toEqual([3, 1]);
    const list = write('list.mjs', 'export default [{ x: 1 }, { x: 2 }];');
    expect([...(await read(list, spec('x', 'f32'))).x!.data]).toEqual([1, 2]);
  });

  it('tells what is wrong, and where', async () => {
    const of = (name: string, text: string) => wrong(write(name, text), spec('x', 'f32'));
    expect(await of('a.mjs', 'export const x = 1;')).toContain('its default export is no iterable');
    expect(await of('b.mjs', 'export default [{ x: 1 }, { x: [1] }];')).toContain('x of example 1 is [1]');
    expect(await of('c.mjs', 'export default [{ x: 1 }, { y: 1 }];')).toContain(
      'example 1 has y, but others x',
    );
    expect(await of('d.mjs', 'export default [{ x: "a" }];')).toContain('x of example 0 is neither a number');
    expect(
      await of('e.mjs', 'export default function* () { yield { x: 1 }; throw new Error("no more"); }'),
    ).toContain('the module fails at example 1: no more');
    expect(await of('f.mjs', 'export default [1];')).toContain('example 0 is no object');
    expect(await of('g.mjs', 'syntax error')).toContain('the module fails at example 0');
  });
});

describe('large files', () => {
  const rows = [2, 0, 2, 1];

  it.each(['x.npy', 'x-idx2-ubyte', 'data.bin', 'x.safetensors'])(
    'of %s rows are read where they lie, with the same content and the same digest',
    name => {
      const written: Record<string, Uint8Array> = {
        'x.npy': npy('>i2', [3, 2], Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 1, 0, 0xff, 0xff)),
        'x-idx2-ubyte': idx(11, [3, 2], Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 1, 0, 0xff, 0xff)),
        'data.bin': Uint8Array.from({ length: 3 * 3073 }, (_, i) => (i % 3073 === 0 ? i / 3073 : i % 251)),
        'x.safetensors': writeSafetensors([
          ['before', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
          ['x', { dtype: 'I64', shape: [3, 2], data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, -6n) }],
        ]),
      };
      const path = write(name, written[name]!);
      const columnsOf = (limit: number): Column[] => {
        const bytes = openBytes(path, limit);
        const layouts =
          name === 'x.npy'
            ? [npyLayout(bytes, path)]
            : name === 'data.bin'
              ? Object.values(cifarLayouts(bytes, path))
              : name === 'x.safetensors'
                ? [...safetensorsLayouts(bytes, path).layouts.values()]
                : [idxLayout(bytes, path)];
        return layouts.map(layout => columnIn(layout, bytes, path));
      };
      const digest = (column: Column): string => {
        const hash = createHash('sha256');
        column.hash(hash);
        return hash.digest('hex');
      };
      const [inMemory, onDisk] = [columnsOf(Number.POSITIVE_INFINITY), columnsOf(0)];
      expect(onDisk).toHaveLength(inMemory.length);
      inMemory.forEach((column, i) => {
        const other = onDisk[i]!;
        expect([other.dtype, other.shape]).toEqual([column.dtype, column.shape]);
        expect(other.take(rows)).toEqual(column.take(rows));
        expect(other.take()).toEqual(column.take());
        expect(digest(other)).toBe(digest(column));
      });
      expect(onDisk.at(-1)!.take(rows).data.length).toBe((4 * onDisk.at(-1)!.take().data.length) / 3);
    },
  );

  it('take little memory: of an array larger than that, batches alone are read', async () => {
    const [n, width] = [65, 2 ** 20];
    const path = write('large.npy', npy('|u1', [n, width], new Uint8Array(0)));
    truncateSync(path, 128 + n * width);
    const file = openSync(path, 'r+');
    writeSync(file, Uint8Array.of(7), 0, 1, 128 + 64 * width + 3);
    closeSync(file);
    const before = process.memoryUsage().arrayBuffers;
    const columns = await readColumns(path, [spec('x', 'u8', width)], 0);
    const { data, shape } = columns.get('x')!.take([64]);
    expect([shape, data[3], data[4]]).toEqual([[1, width], 7, 0]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
    truncateSync(path, 1000);
    expect(() => columns.get('x')!.take([64])).toThrow('the file has become shorter while it was read');
  });
});

describe('modules with a length', () => {
  const endless = (length: number) => `
    export const length = ${length};
    globalThis.made = 0;
    export default async function* ({ seed, epoch }) {
      for (let i = 0; ; i++) {
        globalThis.made++;
        yield { x: [i, seed, epoch, 0.5], y: i % 3 };
      }
    }`;
  const specs = [spec('x', 'f32', 4), spec('y', 'i32')];

  async function open(name: string, text: string): Promise<Stream> {
    return (await readStream(write(name, text), specs, 7))!;
  }

  async function epochOf(stream: Stream, order: Partial<FeedOrder> = {}): Promise<number[][]> {
    const batches: number[][] = [];
    for await (const { batch, examples } of stream.feeds({ epoch: 0, size: 4, keepLast: false, ...order })) {
      expect(batch.x!.shape).toEqual([examples, 4]);
      batches.push([...batch.x!.data].filter((_, i) => i % 4 === 0));
    }
    return batches;
  }

  it('are taken as they come, and are asked for each epoch anew', async () => {
    const stream = await open('s1.mjs', endless(10));
    expect(stream.columns.get('x')!.shape).toEqual([10, 4]);
    expect(await epochOf(stream)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(await epochOf(stream, { keepLast: true, skip: 1 })).toEqual([
      [4, 5, 6, 7],
      [8, 9],
    ]);
    for await (const { batch } of stream.feeds({ epoch: 3, size: 2, keepLast: false })) {
      expect([...batch.x!.data]).toEqual([0, 7, 3, 0.5, 1, 7, 3, 0.5]);
      break;
    }
  });

  it('are shuffled by seed and epoch, each example once, and skip the same', async () => {
    const stream = await open('s2.mjs', endless(40));
    const one = await epochOf(stream, { shuffle: 1 });
    expect(await epochOf(stream, { shuffle: 1 })).toEqual(one);
    expect([...one.flat()].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(one.flat()).not.toEqual([...one.flat()].sort((a, b) => a - b));
    expect(await epochOf(stream, { shuffle: 2 })).not.toEqual(one);
    expect(await epochOf(stream, { shuffle: 1, epoch: 1 })).not.toEqual(one);
    expect(await epochOf(stream, { shuffle: 1, skip: 3 })).toEqual(one.slice(3));
  });

  it('are read one batch ahead, and no further', async () => {
    const stream = await open('s3.mjs', endless(100_000));
    const counts = globalThis as unknown as { made: number };
    counts.made = 0;
    const batches = stream.feeds({ epoch: 0, size: 10, keepLast: false });
    await batches.next();
    await new Promise(done => setTimeout(done, 20));
    expect(counts.made).toBeGreaterThanOrEqual(20);
    expect(counts.made).toBeLessThan(30);
    await batches.return(undefined);
  });

  it('tells what is wrong, and where', async () => {
    const message = async (name: string, text: string, run = epochOf): Promise<string> =>
      open(name, text)
        .then(run)
        .then(
          () => 'nothing is wrong',
          e => (e as DiagnosticError).diagnostics[0]!.message,
        );
    const of = (name: string, body: string, length = 600) =>
      message(name, `export const length = ${length}; export default function* () { ${body} }`);
    const some = 'for (let i = 0; i < 300; i++) yield { x: [i, 0, 0, 0], y: 0 };';
    expect(await of('t1.mjs', some)).toContain('epoch 0 ends after 300 examples, but the length is 600');
    expect(await of('t2.mjs', `${some} throw new Error('no more');`)).toContain(
      'the module fails at example 300: no more',
    );
    expect(await of('t3.mjs', `${some} yield { x: [1], y: 0 };`)).toContain(
      'x of example 300 is [1], but [4]',
    );
    expect(await of('t4.mjs', '', 0)).toContain('its length is 0');
    expect(await message('t5.mjs', 'export const length = 1; export default [{ x: 1 }];')).toContain(
      'is no function',
    );
  });

  it('train, and after an interruption go on, as data of a file do', async () => {
    const net = write('streamed.dnn', tiny);
    const module = write(
      'train.mjs',
      `export const length = 24;
       export default async function* ({ seed, epoch }) {
         for (let i = 0; ; i++) yield { x: [0, 1, 2, 3].map(k => Math.sin(i + k + epoch)), y: i % 3 };
       }`,
    );
    const args = (out: string, ...more: string[]) => [
      ...['train', net, 'fit', '--data', module, '--batch', '4', '--target', 'interpret', '--out', at(out)],
      ...more,
    ];
    const metrics = (out: string) => readFileSync(at(`${out}/metrics.jsonl`), 'utf8');
    expect(await dnnc(...args('whole', '--steps', '15', '--val', module))).toMatchObject({ code: 0 });
    expect(metrics('whole').match(/"val":true/g)).toHaveLength(3);
    expect(await dnnc(...args('part', '--steps', '8'))).toMatchObject({ code: 0 });
    const on = ['--data', module, '--steps', '15', '--resume', at('part')];
    expect(await dnnc('train', net, 'fit', ...on)).toMatchObject({ code: 0 });
    const steps = (out: string) =>
      metrics(out)
        .split('\n')
        .filter(l => !l.includes('val'));
    expect(steps('part')).toEqual(steps('whole'));
  });
});

describe('train and eval', () => {
  it('take them, and train as with safetensors', async () => {
    const net = write('tiny.dnn', tiny);
    const x = Float32Array.from({ length: 48 }, (_, i) => Math.sin(i));
    const y = Int32Array.from({ length: 12 }, (_, i) => i % 3);
    const tensors = writeTensors(at('d.safetensors'), {
      x: { dtype: 'f32', shape: [12, 4], data: x },
      y: { dtype: 'i32', shape: [12], data: y },
    });
    const rows = Array.from(y, (label, i) => [...x.subarray(4 * i, 4 * i + 4), label].join(','));
    const csv = write('d.csv', `a,b,c,d,y\n${rows.join('\n')}\n`);
    const results = [];
    for (const [name, data] of [
      ['one', tensors],
      ['two', csv],
    ] as const) {
      const flags = ['--batch', '4', '--epochs', '2', '--target', 'interpret', '--out', at(`runs/${name}`)];
      expect(await dnnc('train', net, 'fit', '--data', data, ...flags)).toMatchObject({ code: 0, err: '' });
      results.push(readFileSync(at(`runs/${name}/metrics.jsonl`), 'utf8'));
    }
    expect(results[1]).toBe(results[0]);
    const weights = at('runs/two/weights.safetensors');
    const { code, out } = await dnnc(
      'eval',
      net,
      'fit',
      '--data',
      csv,
      '--weights',
      weights,
      '--target',
      'interpret',
    );
    expect({ code, examples: out.match(/12 examples/)?.[0] }).toEqual({ code: 0, examples: '12 examples' });
    const bad = await dnnc('eval', net, 'fit', '--data', `${csv},q=${csv}`, '--weights', weights);
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('has 2 tensors');
  });
});
