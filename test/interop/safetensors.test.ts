import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWeights, writeWeights } from '../../runtime/index.ts';
import {
  fromNdArray,
  readSafetensors,
  type StTensor,
  toNdArray,
  writeSafetensors,
} from '../../src/interop/safetensors.ts';
import { DiagnosticError } from '../../src/support/diagnostic.ts';
import { bfloat16ToNumber, float16ToNumber, numberToFloat16 } from '../../src/support/float16.ts';

function file(header: unknown, data = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function code(read: () => unknown): string {
  try {
    read();
    return 'nothing thrown';
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics[0]!.code;
  }
}

const f32 = (shape: number[], ...offsets: number[]) => ({ dtype: 'F32', shape, data_offsets: offsets });

const tensor: fc.Arbitrary<StTensor> = fc.array(fc.nat(3), { maxLength: 3 }).chain(shape => {
  const length = shape.reduce((n, d) => n * d, 1);
  const of = (dtype: StTensor['dtype'], data: fc.Arbitrary<StTensor['data']>) =>
    data.map(data => ({ dtype, shape, data }));
  const size = { minLength: length, maxLength: length };
  return fc.oneof(
    of('F32', fc.float32Array(size)),
    of('F64', fc.float64Array(size)),
    of('U8', fc.uint8Array(size)),
    of('I8', fc.int8Array(size)),
    of('BF16', fc.uint16Array(size)),
    of('I32', fc.int32Array(size)),
    of('I64', fc.bigInt64Array(size)),
  );
});
const tensors = fc
  .dictionary(fc.string({ unit: 'grapheme' }), tensor, { maxKeys: 6 })
  .map(d => Object.entries(d));

describe('safetensors', () => {
  it('reads back what it writes, whatever the order', () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (list, metadata) => {
        fc.pre(list.every(([name]) => name !== '__metadata__'));
        const bytes = writeSafetensors(list, metadata);
        const read = readSafetensors(bytes);
        expect(Object.fromEntries(read.tensors)).toEqual(Object.fromEntries(list));
        expect(read.metadata).toEqual({ ...metadata });
        expect(writeSafetensors([...list].reverse(), metadata)).toEqual(bytes);
      }),
    );
  });

  it('throws nothing but diagnostics on damaged bytes', () => {
    const good = writeSafetensors([
      ['a', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }],
      ['b.weight', { dtype: 'U8', shape: [5], data: new Uint8Array(5) }],
    ]);
    const mutation = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), fc.nat(good.length), (mutations, length) => {
        const bytes = good.slice();
        for (const { at, to } of mutations) bytes[at] = to;
        code(() => readSafetensors(bytes));
        code(() => readSafetensors(bytes.subarray(0, length)));
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array(), bytes => void code(() => readSafetensors(bytes))));
    fc.assert(fc.property(fc.json(), text => void code(() => readSafetensors(file(text, 8)))));
  });

  it.each([
    ['E0401', new Uint8Array(7)],
    ['E0401', file({ a: f32([1], 0, 4) }, 4).subarray(0, 20)],
    ['E0402', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80)],
    ['E0403', file('{"a":')],
    ['E0403', file('[]')],
    ['E0403', file(' {}')],
    ['E0403', file(`${'['.repeat(200_000)}`)],
    ['E0403', file({ a: 3 })],
    ['E0403', file({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4)],
    ['E0403', file({ a: f32([1], 0, 4, 8) }, 4)],
    ['E0403', file({ __metadata__: { a: 1 } })],
    ['E0404', file(`{"a":${JSON.stringify(f32([1], 0, 4))},"\\u0061":${JSON.stringify(f32([1], 0, 4))}}`, 4)],
    ['E0404', file('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
    ['E0405', file({ a: { dtype: 'F7', shape: [1], data_offsets: [0, 4] } }, 4)],
    ['E0405', file({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4)],
    ['E0406', file({ a: f32([2], 0, 8) }, 4)],
    ['E0406', file({ a: f32([1], 4, 0) }, 4)],
    ['E0406', file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12)],
    ['E0406', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ['E0406', file({ a: f32([1], 0, 4) }, 8)],
    ['E0407', file({ a: f32([2], 0, 4) }, 4)],
    ['E0407', file({ a: f32([2 ** 52, 2 ** 52], 0, 4) }, 4)],
  ])('%s: case %#', (expected, bytes) => {
    expect(code(() => readSafetensors(bytes))).toBe(expected);
  });

  it('names file, tensor, and both sizes', () => {
    expect(() => readSafetensors(file({ 'conv.weight': f32([6, 5], 0, 100) }, 100), 'w.safetensors')).toThrow(
      'E0407: w.safetensors: conv.weight: F32[6, 5] takes 120 bytes, its place has 100',
    );
  });

  it('stays fast with very many names', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => [`t${i}`, f32([0], 0, 0)]);
    const started = performance.now();
    expect(readSafetensors(file(Object.fromEntries(names))).tensors.size).toBe(100_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('agrees with the reader and writer of the runtime', () => {
    const values = {
      w: { dtype: 'f32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      b: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
      h: { dtype: 'f16', shape: [], data: Uint16Array.of(0x3c00) },
      ü: { dtype: 'i32', shape: [1], data: Int32Array.of(-5) },
    } as const;
    const read = readSafetensors(writeWeights(values, { by: 'runtime' }));
    expect(read.metadata).toEqual({ by: 'runtime' });
    expect(read.tensors.get('b')).toEqual({ dtype: 'BOOL', shape: [3], data: values.b.data });
    expect(readWeights(writeSafetensors(read.tensors))).toEqual(values);
    expect(() => readWeights(file({ a: f32([2], 0, 4) }, 4))).toThrow('a does not fit its place');
    expect(() => readWeights(file({ a: f32([1], 0, 4) }, 4).subarray(0, 30))).toThrow(
      'not a safetensors file',
    );
  });

  it('converts to doubles and back, and says what does not fit', () => {
    const long = (...values: bigint[]) =>
      toNdArray({ dtype: 'I64', shape: [values.length], data: BigInt64Array.from(values) });
    expect(long(-3n, 7n)).toEqual({ dtype: 'i32', shape: [2], data: Float64Array.of(-3, 7) });
    expect(code(() => long(2n ** 31n))).toBe('E0408');
    const array = (value: number) => ({ dtype: 'f32' as const, shape: [], data: Float64Array.of(value) });
    expect(fromNdArray(array(0.1)).data).toEqual(Float32Array.of(0.1));
    expect(fromNdArray(array(3), 'u8')).toEqual({ dtype: 'U8', shape: [], data: Uint8Array.of(3) });
    expect(code(() => fromNdArray(array(256), 'u8'))).toBe('E0408');
    expect(code(() => fromNdArray(array(1.5), 'i32'))).toBe('E0408');
    expect(code(() => fromNdArray(array(Number.NaN), 'u32'))).toBe('E0408');
  });

  it('rounds halves to nearest even', () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = float16ToNumber(half);
      if (!Number.isNaN(value)) expect(numberToFloat16(value)).toBe(half);
    }
    expect(numberToFloat16(1 + 2 ** -11)).toBe(0x3c00);
    expect(numberToFloat16(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(numberToFloat16(65519)).toBe(0x7bff);
    expect(numberToFloat16(65520)).toBe(0x7c00);
    expect(numberToFloat16(2 ** -25)).toBe(0);
    expect(numberToFloat16(2 ** -25 * 1.01)).toBe(1);
    expect(Number.isNaN(float16ToNumber(numberToFloat16(Number.NaN)))).toBe(true);
    expect(bfloat16ToNumber(0xc0a0)).toBe(-5);
  });

  it('reads a million keys, or refuses them, and does not hang', () => {
    const entry = '"dtype":"F32","shape":[0],"data_offsets":[0,0]';
    const keys = Array.from({ length: 1e6 }, (_, i) => `"k${i}":{${entry}}`);
    const header = new TextEncoder().encode(`{${keys.join()}}`);
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setUint32(0, header.length, true);
    file.set(header, 8);
    try {
      expect(readSafetensors(file).tensors.size).toBe(1e6);
    } catch (error) {
      expect(error).toBeInstanceOf(DiagnosticError);
    }
  }, 60_000);

  const folder = fileURLToPath(new URL('../cases/torch', import.meta.url));
  it('reads files that another program wrote', () => {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(n => n.endsWith('.st'));
    for (const name of names)
      expect(readSafetensors(readFileSync(`${folder}/${name}`)).tensors.size).toBeGreaterThan(0);
  });
});
