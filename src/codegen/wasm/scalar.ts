import type { BinaryOp, UnaryOp } from '../../ir/scalar.ts';
import { isComparison } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat } from '../../ir/type.ts';
import type { Get, Ref } from './code.ts';
import type { Helpers } from './helpers.ts';
import { integerQuotient } from './integers.ts';
import type { Lanes } from './lanes.ts';
import { roundToHalf } from './math/half.ts';
import { withSign } from './math/polynomial.ts';

/** Keeps a value of a dtype in a local. */
export function keep(l: Lanes, value: Ref, dtype: DType): Get {
  return l.code.keep(value, isFloat(dtype) ? l.floatType : l.intType);
}

/** A float as its dtype has it. */
export function rounded(l: Lanes, value: Ref, dtype: DType): Ref {
  return dtype === 'f16' ? roundToHalf(l, keep(l, value, dtype)) : value;
}

const wrapByte = (l: Lanes, value: Ref, dtype: DType): Ref =>
  dtype === 'u8' ? l.bits.and(value, l.int(255)) : value;

/** `dtype` is the operand's. */
export function unary(l: Lanes, op: UnaryOp, a: Ref, dtype: DType, helpers: Helpers): Ref {
  if (op === 'not') {
    if (dtype === 'bool') return l.not(a);
    return isFloat(dtype) ? l.f.eq(a, l.constant(0)) : l.i.eq(a, l.int(0));
  }
  if (dtype === 'bool') return a;
  if (isFloat(dtype)) return floatUnary(l, op, a, dtype, helpers);
  const signed = dtype === 'i32';
  switch (op) {
    case 'neg':
      return wrapByte(l, l.i.sub(l.int(0), a), dtype);
    case 'abs':
      return signed ? l.absInt(a) : a;
    case 'sign': {
      if (!signed) return l.minInt(a, l.int(1), false);
      return l.maxInt(l.minInt(a, l.int(1), true), l.int(-1), true);
    }
    default:
      return a;
  }
}

function floatUnary(l: Lanes, op: Exclude<UnaryOp, 'not'>, a: Ref, dtype: DType, helpers: Helpers): Ref {
  switch (op) {
    case 'neg':
    case 'abs':
    case 'floor':
    case 'ceil':
      return l.f[op](a);
    case 'round':
      return l.f.nearest(a);
    case 'sqrt':
      return rounded(l, l.f.sqrt(a), dtype);
    case 'sign': {
      // 0, -0 and NaN stay what they are.
      const x = keep(l, a, dtype);
      const isSigned = l.f.gt(l.f.abs(x()), l.constant(0));
      return l.select(isSigned, withSign(l, l.constant(1), x()), x());
    }
    default:
      return rounded(l, helpers.call(op, l, [a]), dtype);
  }
}

/** Operands that are constants, the same in every lane. */
export interface Known {
  readonly a?: number | undefined;
  readonly b?: number | undefined;
}

/** `dtype` is the operands'. */
export function binary(
  l: Lanes,
  op: BinaryOp,
  a: Ref,
  b: Ref,
  dtype: DType,
  known: Known,
  helpers: Helpers,
): Ref {
  if (dtype === 'bool') return boolBinary(l, op, a, b);
  if (isComparison(op)) return comparison(l, op as Comparison, a, b, dtype);
  if (isFloat(dtype)) return rounded(l, floatBinary(l, op, a, b, known, helpers), dtype);
  const signed = dtype === 'i32';
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
      return wrapByte(l, l.i[op](a, b), dtype);
    case 'max':
      return l.maxInt(a, b, signed);
    case 'min':
      return l.minInt(a, b, signed);
    case 'and':
    case 'or':
    case 'xor':
      return l.bits[op](a, b);
    case 'shl':
    case 'shr':
      return shift(l, op, a, b, dtype, known.b);
    case 'div':
    case 'floordiv':
    case 'mod':
      return integerQuotient(l, op, a, b, signed, known.b);
    default:
      throw new Error(`there is no ${op} of ${dtype}`);
  }
}

/** By the last five bits of `b`; vectors are shifted by one number at once. */
function shift(l: Lanes, op: 'shl' | 'shr', a: Ref, b: Ref, dtype: DType, by: number | undefined): Ref {
  const name = op === 'shl' ? 'shl' : dtype === 'i32' ? 'shr_s' : 'shr_u';
  const { i32 } = l.code.m;
  const shifted =
    l.count === 1
      ? i32[name](a, b)
      : by !== undefined
        ? l.i[name](a, i32.const(by & 31))
        : l.lanewise([a, b], 'int', 'int', (x, y) => i32[name](x!(), y!()));
  return wrapByte(l, shifted, dtype);
}

function floatBinary(l: Lanes, op: BinaryOp, a: Ref, b: Ref, known: Known, helpers: Helpers): Ref {
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return l.f[op](a, b);
    case 'max':
    case 'min': {
      // Against a constant one instruction does; between two values either may be NaN.
      const bounded = op === 'max' ? l.atLeast : l.atMost;
      if (known.b !== undefined && !Number.isNaN(known.b)) return bounded(a, known.b);
      if (known.a !== undefined && !Number.isNaN(known.a)) return bounded(b, known.a);
      return l.f[op](a, b);
    }
    case 'pow':
      return powerOf(l, a, b, known.b, helpers);
    case 'floordiv':
    case 'mod':
      return helpers.call(op, l, [a, b]);
    default:
      throw new Error(`there is no ${op} of floats`);
  }
}

/** Frequent exponents are cheaper by other means. */
function powerOf(l: Lanes, a: Ref, b: Ref, exponent: number | undefined, helpers: Helpers): Ref {
  switch (exponent) {
    case 1:
      return a;
    case 2: {
      const x = l.code.keep(a, l.floatType);
      return l.f.mul(x(), x());
    }
    case 0.5:
      return l.f.sqrt(a);
    case -1:
      return l.f.div(l.constant(1), a);
    default:
      return helpers.call('pow', l, [a, b]);
  }
}

type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

function comparison(l: Lanes, op: Comparison, a: Ref, b: Ref, dtype: DType): Ref {
  if (isFloat(dtype)) return l.f[op](a, b);
  if (op === 'eq' || op === 'ne') return l.i[op](a, b);
  return l.i[`${op}_${dtype === 'i32' ? 's' : 'u'}`](a, b);
}

/** Sums are `or`, products `and`, differences say whether two differ; false is less than true. */
function boolBinary(l: Lanes, op: BinaryOp, a: Ref, b: Ref): Ref {
  const { and, or, xor } = l.bits;
  switch (op) {
    case 'or':
    case 'max':
    case 'add':
      return or(a, b);
    case 'and':
    case 'min':
    case 'mul':
      return and(a, b);
    case 'ne':
    case 'sub':
      return xor(a, b);
    case 'eq':
      return l.not(xor(a, b));
    case 'lt':
      return and(l.not(a), b);
    case 'gt':
      return and(a, l.not(b));
    case 'le':
      return or(l.not(a), b);
    case 'ge':
      return or(a, l.not(b));
    default:
      throw new Error(`there is no ${op} of booleans`);
  }
}
