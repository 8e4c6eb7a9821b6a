import { roundToFloat16, toFloat16 } from '../support/float16.ts';
import type { DType } from './type.ts';

/** Scalar functions of one argument. The table is their definition: interpreters call it, printers print it. */
export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'atan'
  | 'log1p'
  | 'expm1'
  | 'not';

/** `round` is half to even; `sign(0)` is 0. */
export const unaryTable: Readonly<Record<UnaryOp, (x: number) => number>> = {
  neg: x => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: x => {
    const low = Math.floor(x);
    const rest = x - low;
    return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  },
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: x => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  erf,
  atan: Math.atan,
  log1p: Math.log1p,
  expm1: Math.expm1,
  not: x => (x === 0 ? 1 : 0),
};

/** erf(x) = 2 / sqrt(pi) e^(-x²) (x + 2 x³ / 3 + 4 x⁵ / 15 + …): no term changes the sign, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > Math.abs(sum) * 1e-17; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Those that only floats have. */
export const floatFunctions: ReadonlySet<UnaryOp> = new Set([
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'erf',
  'atan',
  'log1p',
  'expm1',
]);

export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'floordiv'
  | 'mod'
  | 'pow'
  | 'max'
  | 'min'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr';

/** `floordiv` rounds towards minus infinity and `mod` takes the divisor's sign, for integers and floats alike. Booleans are 0 and 1. */
export const binaryTable: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  floordiv: (a, b) => Math.floor(a / b),
  mod: (a, b) => a - Math.floor(a / b) * b,
  pow: (a, b) => a ** b,
  max: (a, b) => (a >= b || Number.isNaN(a) ? a : b),
  min: (a, b) => (a <= b || Number.isNaN(a) ? a : b),
  eq: (a, b) => +(a === b),
  ne: (a, b) => +(a !== b),
  lt: (a, b) => +(a < b),
  le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b),
  ge: (a, b) => +(a >= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
};

/** Those that look at the bits of integers; `and` and `or` are of booleans too. Shifts go by the last five bits of b. */
export const bitOperations: ReadonlySet<BinaryOp> = new Set(['and', 'or', 'xor', 'shl', 'shr']);

const comparisons: ReadonlySet<BinaryOp> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);
export const isComparison = (op: BinaryOp): boolean => comparisons.has(op);

/** How floats are kept: `f64` as they are, `f32` rounded to their dtype after every operation as a GPU would. */
export type Precision = 'f64' | 'f32';

/** Brings the result of an operation into its dtype: integers wrap (they stay exact in doubles up to 2^53; products go through `multiply`), floats are rounded where asked. */
export function normalise(x: number, dtype: DType, precision: Precision): number {
  switch (dtype) {
    case 'f32':
      return precision === 'f32' ? Math.fround(x) : x;
    case 'f16':
      return precision === 'f32' ? roundToFloat16(x) : x;
    case 'i32':
      return x | 0;
    case 'u32':
      return x >>> 0;
    case 'u8':
      return x & 255;
    case 'bool':
      return x === 0 ? 0 : 1;
  }
}

export function applyUnary(op: UnaryOp, x: number, dtype: DType, precision: Precision): number {
  return normalise(unaryTable[op](x), dtype, precision);
}

/** `dtype` is the result's. */
export function applyBinary(op: BinaryOp, a: number, b: number, dtype: DType, precision: Precision): number {
  if (op === 'mul' && (dtype === 'i32' || dtype === 'u32'))
    return normalise(Math.imul(a, b), dtype, precision);
  // Unsigned numbers have no sign to bring in.
  if (op === 'shr' && dtype === 'u32') return a >>> b;
  return normalise(binaryTable[op](a, b), dtype, precision);
}

const mostOfIntegers = { i32: 2147483647, u32: 4294967295 };
/** The last f32 in the range of integers, as in WGSL. */
const mostOfFloats = { i32: 2147483520, u32: 4294967040 };

/**
 * Conversion between dtypes gives the nearest value that both have: floats truncate towards zero, and what is too large
 * or too small for an integer or f16 becomes the last one in its range. Anything to bool is `!= 0`.
 */
export function applyCast(x: number, to: DType, precision: Precision, from: DType = 'i32'): number {
  const most = from === 'f32' ? mostOfFloats : mostOfIntegers;
  switch (to) {
    case 'f32':
      return normalise(x, to, precision);
    case 'f16':
      return precision === 'f32' ? toFloat16(x) : x;
    case 'bool':
      return x === 0 ? 0 : 1;
    case 'i32':
      return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -2147483648), most.i32) + 0;
    case 'u32':
      return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), 0), most.u32) + 0;
    case 'u8':
      return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), 0), 255) + 0;
  }
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/**
 * Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * a counter-based generator made of additions, rotations and xors alone, so every target gives the same bits.
 * Returns the first of the two output words.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): number {
  const keys = [key0 | 0, key1 | 0, key0 ^ key1 ^ 0x1bd11bda];
  let x = (counter0 + keys[0]!) | 0;
  let y = (counter1 + keys[1]!) | 0;
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 4; i++) {
      const r = rotations[(group % 2) * 4 + i]!;
      x = (x + y) | 0;
      y = ((y << r) | (y >>> (32 - r))) ^ x;
    }
    x = (x + keys[(group + 1) % 3]!) | 0;
    y = (y + keys[(group + 2) % 3]! + group + 1) | 0;
  }
  return x >>> 0;
}
