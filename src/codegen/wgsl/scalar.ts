import type { BinaryOp, UnaryOp } from '../../ir/scalar.ts';
import { isComparison } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat } from '../../ir/type.ts';
import { largestFloat16 } from '../../support/float16.ts';
import type { HelperName } from './helpers.ts';
import type { Piece } from './layout.ts';
import { atom, call, infix, prefix } from './layout.ts';
import { literal, valueType } from './literal.ts';
import type { Scope } from './scope.ts';

/** `from` is the operand's dtype, `dtype` the result's. */
export function unaryPiece(op: UnaryOp, a: Piece, from: DType, dtype: DType, scope: Scope, lanes = 1): Piece {
  if (op === 'not') {
    if (dtype === 'bool') return from === 'bool' ? prefix('!', a) : infix('==', a, zero(from, lanes));
    return castPiece(prefix('!', castPiece(a, from, 'bool', lanes)), 'bool', dtype, lanes);
  }
  if (from === 'bool') return op === 'neg' || op === 'abs' || op === 'sign' ? a : unprintable(op, from);
  if (isFloat(from)) return floatUnary(op, a, from, scope, lanes);
  const unsigned = from !== 'i32';
  switch (op) {
    case 'neg':
      return unsigned ? wrapU8(infix('-', zero(from, lanes), a), from, lanes) : prefix('-', a);
    case 'abs':
      return unsigned ? a : call('abs', a);
    case 'sign':
      return unsigned ? call('min', a, constantOf(1, 'u32', lanes)) : call('sign', a);
    case 'floor':
    case 'ceil':
    case 'round':
      return a;
    default:
      return unprintable(op, from);
  }
}

function floatUnary(op: Exclude<UnaryOp, 'not'>, a: Piece, dtype: DType, scope: Scope, lanes: number): Piece {
  switch (op) {
    case 'neg':
      return prefix('-', a);
    case 'sigmoid':
      return viaF32('sigmoid', [a], dtype, scope, lanes);
    case 'tanh':
      return viaF32('tanh_safe', [a], dtype, scope, lanes);
    case 'erf':
      return viaF32('erf', [a], dtype, scope, lanes);
    case 'atan':
      return viaF32('arctangent', [a], dtype, scope, lanes);
    case 'log1p':
      return viaF32('log_one_plus', [a], dtype, scope, lanes);
    case 'expm1':
      return viaF32('exp_minus_one', [a], dtype, scope, lanes);
    case 'sin':
      return viaF32('sine', [a], dtype, scope, lanes);
    case 'cos':
      return viaF32('cosine', [a], dtype, scope, lanes);
    default:
      return call(op, a);
  }
}

/** Helpers work in f32. */
function viaF32(
  helper: HelperName,
  args: readonly Piece[],
  dtype: DType,
  scope: Scope,
  lanes: number,
): Piece {
  const name = lanes === 1 ? scope.helper(helper) : scope.lanewise(helper, 'f32', args.length);
  if (dtype === 'f32') return call(name, ...args);
  const wide = args.map(a => call(valueType('f32', lanes), a));
  return call(valueType('f16', lanes), call(name, ...wide));
}

const symbols: Readonly<Partial<Record<BinaryOp, string>>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

const boolSymbols: Readonly<Partial<Record<BinaryOp, string>>> = {
  and: '&&',
  or: '||',
  max: '||',
  min: '&&',
  add: '||',
  mul: '&&',
  sub: '!=',
  eq: '==',
  ne: '!=',
};

const ofBoolVectors: Readonly<Record<string, string>> = { '&&': '&', '||': '|' };

/** `dtype` is the operands'. Integer division and remainder are of non-negative numbers, where WGSL's are the floored ones. */
export function binaryPiece(op: BinaryOp, a: Piece, b: Piece, dtype: DType, scope: Scope, lanes = 1): Piece {
  if (dtype === 'bool') {
    const symbol = boolSymbols[op];
    // `&&` and `||` are for scalars alone.
    if (symbol) return infix(lanes === 1 ? symbol : (ofBoolVectors[symbol] ?? symbol), a, b, true);
    if (!isComparison(op)) return unprintable(op, dtype);
    return infix(symbols[op]!, call(valueType('u32', lanes), a), call(valueType('u32', lanes), b));
  }
  if (op === 'max' || op === 'min') return call(op, a, b);
  const float = isFloat(dtype);
  // A number is equal to itself; compilers of shaders assume that all are.
  if (float && (op === 'ne' || op === 'eq') && a.text === b.text) {
    const none = call(scope.helper('is_nan'), dtype === 'f32' ? a : call('f32', a));
    return op === 'ne' ? none : prefix('!', none);
  }
  const symbol = symbols[op];
  if (symbol) {
    const result = infix(symbol, a, b, !float && (op === 'add' || op === 'mul'));
    return isComparison(op) ? result : wrapU8(result, dtype, lanes);
  }
  switch (op) {
    case 'floordiv':
      if (float) return call('floor', infix('/', a, b));
      return infix('/', a, b);
    case 'mod':
      if (float) return viaF32('floor_mod', [a, b], dtype, scope, lanes);
      return infix('%', a, b);
    case 'pow':
      return float ? power(a, b, dtype, scope, lanes) : unprintable(op, dtype);
    default:
      if (float) return unprintable(op, dtype);
      return bits(op, a, b, dtype);
  }
}

/** WGSL has shifts by u32 alone, and a shader that is seen to shift by 32 or more is none. */
function bits(op: BinaryOp, a: Piece, b: Piece, dtype: DType): Piece {
  switch (op) {
    case 'and':
      return infix('&', a, b, true);
    case 'or':
      return infix('|', a, b, true);
    case 'xor':
      return infix('^', a, b, true);
    default: {
      const places = infix('&', dtype === 'u32' ? b : call('u32', b), atom('31u'));
      return infix(op === 'shl' ? '<<' : '>>', a, places);
    }
  }
}

/** Frequent exponents are cheaper and more accurate by other means. */
function power(a: Piece, b: Piece, dtype: DType, scope: Scope, lanes: number): Piece {
  switch (b.constant) {
    case 1:
      return a;
    case 2:
      return /^\w+$/.test(a.text) ? infix('*', a, a) : viaF32('square', [a], dtype, scope, lanes);
    case 0.5:
      return call('sqrt', a);
    case -1:
      return infix('/', constantOf(1, dtype, lanes), a);
    default:
      return viaF32('power', [a, b], dtype, scope, lanes);
  }
}

/** Floats truncate towards zero; what is out of range becomes the nearest in it, which WGSL does for floats alone. */
export function castPiece(a: Piece, from: DType, to: DType, lanes = 1): Piece {
  if (from === to) return a;
  const convert = (dtype: DType, x: Piece): Piece => call(valueType(dtype, lanes), x);
  const constant = (value: number, dtype: DType): Piece => constantOf(value, dtype, lanes);
  switch (to) {
    case 'f32':
      return convert(to, a);
    case 'f16':
      return toHalf(a, from, lanes);
    case 'bool':
      return infix('!=', a, zero(from, lanes));
    case 'i32':
      return convert('i32', from === 'u32' ? call('min', a, constant(2147483647, 'u32')) : a);
    case 'u32':
      if (from === 'u8') return a;
      return convert('u32', from === 'i32' ? call('max', a, zero(from, lanes)) : a);
    case 'u8':
      if (from === 'bool') return convert('u32', a);
      if (from === 'u32') return call('min', a, constant(255, 'u32'));
      return convert('u32', call('clamp', a, zero(from, lanes), constant(255, from)));
  }
}

/** What is too large for f16 has no defined value in WGSL. */
function toHalf(a: Piece, from: DType, lanes: number): Piece {
  const half = valueType('f16', lanes);
  if (from === 'bool' || from === 'u8') return call(half, a);
  const wide = from === 'f32' ? a : call(valueType('f32', lanes), a);
  const bound = (value: number): Piece => constantOf(value, 'f32', lanes);
  return call(half, call('clamp', wide, bound(-largestFloat16), bound(largestFloat16)));
}

/** A literal, the same in every lane. */
export function constantOf(value: number, dtype: DType, lanes = 1): Piece {
  const one = atom(literal(value, dtype), value);
  return lanes === 1 ? one : { ...call(valueType(dtype, lanes), one), constant: value };
}

function zero(dtype: DType, lanes: number): Piece {
  return constantOf(0, dtype, lanes);
}

/** Keeps the low byte. */
function wrapU8(a: Piece, dtype: DType, lanes: number): Piece {
  return dtype === 'u8' ? infix('&', a, constantOf(255, 'u32', lanes)) : a;
}

function unprintable(op: string, dtype: DType): never {
  throw new Error(`WGSL has no ${op} on ${dtype}`);
}
