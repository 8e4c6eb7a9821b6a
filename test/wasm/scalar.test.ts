import { describe, expect, test } from 'vitest';
import type { KExpr } from '../../src/ir/kernel.ts';
import type { BinaryOp, UnaryOp } from '../../src/ir/scalar.ts';
import { applyBinary, applyCast, applyUnary, floatFunctions, unaryTable } from '../../src/ir/scalar.ts';
import type { DType } from '../../src/ir/type.ts';
import { isFloat } from '../../src/ir/type.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import { roundToFloat16 } from '../../src/support/float16.ts';
import { getDevice } from '../gpu.ts';
import { runOnGpu } from '../kernel/run.ts';
import { vector, withLanes } from './kernels.ts';
import { WasmKernels } from './run.ts';

const device = await getDevice();

const f32s = [
  0,
  -0,
  1,
  -1,
  0.1,
  -0.1,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2.5,
  -2.5,
  3,
  -3,
  7.25,
  100.3,
  1e-40,
  1e-30,
  -1e-6,
  69,
  -80,
  8388607.5,
  16777216,
  2147483520,
  2147483648,
  -2147483648,
  4294967040,
  4294967296,
  -4294967296,
  65504,
  65519,
  65520,
  1e30,
  -1e30,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  6e-8,
  2.9e-8,
  -3e-8,
  0.00006,
].map(Math.fround);
const samples: Readonly<Record<DType, readonly number[]>> = {
  f32: f32s,
  f16: f32s.map(roundToFloat16),
  i32: [0, 1, -1, 2, 7, -7, 255, 256, 65536, 123456789, 2147483647, -2147483647, -2147483648],
  u32: [0, 1, 2, 7, 255, 256, 65536, 123456789, 2147483647, 2147483648, 4294967295],
  u8: [0, 1, 2, 3, 127, 128, 200, 254, 255],
  bool: [0, 1],
};
const dtypes = Object.keys(samples) as DType[];

const binaryOps: Readonly<Record<'float' | 'int' | 'bool', readonly BinaryOp[]>> = {
  float: [
    'add',
    'sub',
    'mul',
    'div',
    'floordiv',
    'mod',
    'pow',
    'max',
    'min',
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
  ],
  int: [
    'add',
    'sub',
    'mul',
    'div',
    'floordiv',
    'mod',
    'max',
    'min',
    'and',
    'or',
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
  ],
  bool: ['add', 'sub', 'mul', 'max', 'min', 'and', 'or', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'],
};
const opsOf = (dtype: DType) => binaryOps[isFloat(dtype) ? 'float' : dtype === 'bool' ? 'bool' : 'int'];
const isComparison = (op: BinaryOp) => ['eq', 'ne', 'lt', 'le', 'gt', 'ge'].includes(op);

interface Case {
  readonly name: string;
  readonly from: DType;
  readonly operands: readonly (readonly number[])[];
  readonly value: (lanes: number) => (...args: KExpr[]) => KExpr;
  readonly want: (...args: number[]) => number;
  /** Relative error of floats. */
  readonly within: number;
}

/** All pairs, padded to whole vectors. */
function pairs(list: readonly number[], allowed = (_a: number, _b: number) => true): [number[], number[]] {
  const all = list.flatMap(a => list.filter(b => allowed(a, b)).map(b => [a, b] as const));
  return [padded(all.map(([a]) => a)), padded(all.map(([, b]) => b))];
}

function padded(list: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(list.length / 8) * 8 }, (_, i) => list[i % list.length]!);
}

const cases: Case[] = dtypes.flatMap(from => {
  const float = isFloat(from);
  const dtypeOf = (op: UnaryOp): DType => (op === 'not' ? 'bool' : from);
  const unary = (Object.keys(unaryTable) as UnaryOp[])
    .filter(op => float || !floatFunctions.has(op))
    .map(op => ({
      name: `${op} ${from}`,
      from,
      operands: [padded(samples[from])],
      value: (lanes: number) => (a?: KExpr) =>
        withLanes({ kind: 'unary', dtype: dtypeOf(op), op, a: a! }, lanes),
      want: (a?: number) => applyUnary(op, a!, dtypeOf(op), 'f32'),
      within: floatFunctions.has(op) && op !== 'sqrt' ? 4e-7 : 0,
    }));
  const binary = opsOf(from).map(op => {
    const dtype: DType = isComparison(op) ? 'bool' : from;
    // The floored division of i32 is of numbers that are not negative.
    const floored = from === 'i32' && (op === 'floordiv' || op === 'mod');
    return {
      name: `${op} ${from}`,
      from,
      operands: pairs(samples[from], (a, b) => !floored || (a >= 0 && b >= 0)),
      value: (lanes: number) => (a?: KExpr, b?: KExpr) =>
        withLanes({ kind: 'binary', dtype, op, a: a!, b: b! }, lanes),
      want: (a?: number, b?: number) => applyBinary(op, a!, b!, dtype, 'f32'),
      within: op === 'pow' ? 2e-7 : 0,
    };
  });
  const casts = dtypes
    .filter(to => to !== from)
    .map(to => ({
      name: `${from} to ${to}`,
      from,
      operands: [padded(samples[from])],
      value: (lanes: number) => (a?: KExpr) => withLanes({ kind: 'cast', dtype: to, a: a! }, lanes),
      want: (a?: number) => applyCast(a!, to, 'f32', from),
      within: 0,
    }));
  return [...unary, ...binary, ...casts];
});

describe.each([1, 4, 8] as const)('operations on %i lanes', lanes => {
  const entries = cases.map(({ name, from, operands, value }) => ({
    kernel: vector(
      name,
      lanes,
      operands[0]!.length,
      value(lanes),
      from,
      ['x', 'z'].slice(0, operands.length),
    ),
    uniforms: [],
  }));
  const made = WasmKernels.of(entries);
  test.each(cases.map((c, i) => [c.name, c, i] as const))(
    '%s',
    async (_, { from, operands, want, within }, i) => {
      const { kernel } = entries[i]!;
      expect(verifyKernel(kernel)).toEqual([]);
      const kernels = await made;
      const y = new Float64Array(operands[0]!.length);
      const [x, z] = operands.map(list => Float64Array.from(list));
      kernels.run(i, { y, x: x!, ...(z && { z }) });
      const isHalf = kernel.buffers.find(b => b.name === 'y')!.dtype === 'f16';
      const wrong = [...y].flatMap((got, at) => {
        const args = operands.map(list => list[at]!);
        const wanted = want(...args);
        // A half is the float rounded once more.
        const error =
          within * Math.abs(wanted) * (isHalf ? 2 ** 13 : 1) + (within > 0 ? (isHalf ? 6e-8 : 1.5e-45) : 0);
        // Which 0 is the larger is left open.
        const isRight = got === wanted || Object.is(got, wanted) || Math.abs(got - wanted) <= error;
        return isRight ? [] : [`(${args.join(', ')}) is ${got}, not ${wanted}`];
      });
      expect(wrong).toEqual([]);
      expect(from).toBe(kernel.buffers[0]!.dtype);
    },
  );
});

// What WGSL leaves open for infinities and zeros is the same for vectors as for numbers.
describe.skipIf(!device)('vectors in WGSL', () => {
  const inWgsl = cases.filter(c => !/f16|(floor|ceil|round) bool/.test(c.name));
  test.each(inWgsl.map(c => [c.name, c] as const))('%s', async (name, { from, operands, value }) => {
    const count = operands[0]!.length;
    const names = ['x', 'z'].slice(0, operands.length);
    const results = [1, 4].map(async lanes => {
      const buffers = Object.fromEntries(names.map((n, i) => [n, Float64Array.from(operands[i]!)]));
      const kernel = vector(name, lanes, count, value(lanes), from, names);
      return (await runOnGpu(device!, kernel, { ...buffers, y: new Float64Array(count) })).y;
    });
    const [scalar, four] = await Promise.all(results);
    expect(four).toEqual(scalar);
  });
});
