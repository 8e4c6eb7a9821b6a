import { describe, expect, test } from 'vitest';
import type { KExpr } from '../../src/ir/kernel.ts';
import type { UnaryOp } from '../../src/ir/scalar.ts';
import { unaryTable } from '../../src/ir/scalar.ts';
import * as K from '../kernel/build.ts';
import { vector } from './kernels.ts';
import { WasmKernels } from './run.ts';

const count = 1 << 14;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
const fromBits = (b: number): number => {
  bits[0] = b;
  return float[0]!;
};

/** All sizes of numbers alike, both signs, and what is special. */
const everything = Float64Array.from({ length: count }, (_, i) =>
  fromBits(Math.round((i / count) * 2 ** 32) | 0 | (Math.imul(i, 2654435761) & 0x3ffff)),
);
const special = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  Number.NaN,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  1e-40,
  88.72,
  88.73,
  -87.4,
  -103.9,
  -104.1,
  3.4028234663852886e38,
  0.5,
  -0.5,
].map(Math.fround);
everything.set(special);

const evenly = (from: number, to: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.fround(from + ((to - from) * i) / count));

/** The error in units of the last place that f32 has for the wanted number. */
function ulps(got: number, want: number): number {
  if (Object.is(got, want) || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  const rounded = Math.fround(want);
  if (got === rounded)
    return rounded === 0 || !Number.isFinite(rounded) ? 0 : Math.abs(got - want) / unit(want);
  if (!Number.isFinite(got) || !Number.isFinite(rounded)) return Infinity;
  return Math.abs(got - want) / unit(want);
}

const unit = (x: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x) || 1e-45)), -126) - 23);

/** Most units of the last place; ranges where arguments are dense. */
const functions: Readonly<
  Partial<Record<UnaryOp, readonly [most: number, ...ranges: (readonly [number, number])[]]>>
> = {
  exp: [1, [-104, 89], [-1, 1]],
  expm1: [1.5, [-18, 89], [-1, 1]],
  log: [0.8, [0, 2], [0, 1000]],
  log1p: [0.8, [-1, 2], [-0.1, 0.1]],
  tanh: [2.5, [-10, 10], [-1, 1]],
  sigmoid: [2.5, [-104, 20], [-2, 2]],
  erf: [2.5, [-5, 5], [-1.1, 1.1]],
  sin: [1.5, [-10, 10], [-1e6, 1e6]],
  cos: [1.6, [-10, 10], [-1e6, 1e6]],
  atan: [2.5, [-10, 10], [-1, 1]],
  sqrt: [0.51, [0, 10]],
  round: [0, [-10, 10]],
  floor: [0, [-10, 10]],
  ceil: [0, [-10, 10]],
  sign: [0, [-10, 10]],
  abs: [0, [-10, 10]],
  neg: [0, [-10, 10]],
};

describe.each([1, 4] as const)('functions of %i lanes', lanes => {
  const entries = Object.keys(functions).map(op => ({
    kernel: vector(op, lanes, count, x => unary(op as UnaryOp, x)),
    uniforms: [],
  }));
  const made = WasmKernels.of(entries);
  test.each(Object.entries(functions))('%s', async (op, [most, ...ranges]) => {
    const kernels = await made;
    for (const x of [everything, ...ranges.map(([from, to]) => evenly(from, to))]) {
      const buffers = { x, y: new Float64Array(count) };
      kernels.run(Object.keys(functions).indexOf(op), buffers);
      let worst = 0;
      buffers.y.forEach((y, i) => {
        const error = ulps(y, unaryTable[op as UnaryOp](x[i]!));
        worst = Math.max(worst, error);
      });
      expect(worst).toBeLessThanOrEqual(most);
    }
  });
});

function unary(op: UnaryOp, a: KExpr): KExpr {
  return { ...K.unary(op, a), ...(a.lanes && { lanes: a.lanes }) } as KExpr;
}
