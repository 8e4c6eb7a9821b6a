import type { Dim } from '../../ir/dim.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import { applyBinary, applyCast, applyUnary } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import type { Piece } from './layout.ts';
import { atom, call, components, element, infix, prefix } from './layout.ts';
import { literal, valueType } from './literal.ts';
import { binaryPiece, castPiece, constantOf, unaryPiece } from './scalar.ts';
import type { Scope } from './scope.ts';
import { componentAt, elements, laneNames, shufflePiece, vectorPlace } from './vector.ts';

/** A kernel expression as a piece of WGSL. */
export function exprPiece(e: KExpr, scope: Scope): Piece {
  scope.note(e.dtype);
  const lanes = lanesOf(e);
  switch (e.kind) {
    case 'const':
      return constantPiece(e.value, e.dtype, scope);
    case 'ref':
      return atom(scope.name(e.name));
    case 'builtin':
      return atom(scope.builtin(e.name));
    case 'uniform':
      return atom(scope.uniform(e.name, e.dtype));
    case 'load':
      return loadPiece(e, scope);
    case 'load-shared':
      if (scope.inVectors(e.array)) return fromVectors(scope.name(e.array), e.index, lanes, scope);
      if (lanes > 1)
        return call(
          valueType(e.dtype, lanes),
          ...elements(scope.name(e.array), exprPiece(e.index, scope), e.index.dtype),
        );
      return element(scope.name(e.array), exprPiece(e.index, scope));
    case 'unary': {
      const a = exprPiece(e.a, scope);
      if (a.constant !== undefined)
        return constantPiece(applyUnary(e.op, a.constant, e.dtype, 'f32'), e.dtype, scope, lanes);
      return unaryPiece(e.op, a, e.a.dtype, e.dtype, scope, lanes);
    }
    case 'binary': {
      const a = exprPiece(e.a, scope);
      const b = exprPiece(e.b, scope);
      if (a.constant !== undefined && b.constant !== undefined)
        return constantPiece(
          applyBinary(e.op, a.constant, b.constant, e.dtype, 'f32'),
          e.dtype,
          scope,
          lanes,
        );
      return binaryPiece(e.op, a, b, e.a.dtype, scope, lanes);
    }
    case 'select':
      return call('select', exprPiece(e.b, scope), exprPiece(e.a, scope), exprPiece(e.condition, scope));
    case 'cast': {
      const a = exprPiece(e.a, scope);
      if (a.constant !== undefined)
        return constantPiece(applyCast(a.constant, e.dtype, 'f32', e.a.dtype), e.dtype, scope, lanes);
      return castPiece(a, e.a.dtype, e.dtype, lanes);
    }
    case 'random': {
      const words = e.args.map(a => wordPiece(a, scope));
      const name = lanes === 1 ? scope.helper('threefry2x32') : scope.lanewise('threefry2x32', 'u32', 4);
      return call(name, ...words);
    }
    case 'splat': {
      const a = exprPiece(e.a, scope);
      const piece = call(valueType(e.dtype, lanes), a);
      return a.constant === undefined ? piece : { ...piece, constant: a.constant };
    }
    case 'lanes':
      return call(valueType(e.dtype, lanes), ...e.parts.map(part => exprPiece(part, scope)));
    case 'lane':
      return components(exprPiece(e.a, scope), laneNames[e.lane]!);
    case 'shuffle':
      return shufflePiece(e, exprPiece(e.a, scope), exprPiece(e.b, scope));
  }
}

/** Constant subexpressions are folded here too, because WGSL refuses a module whose constants overflow. */
function constantPiece(value: number, dtype: DType, scope: Scope, lanes = 1): Piece {
  if (Number.isNaN(value)) {
    const nan = call(scope.helper('nan'));
    return dtype === 'f16' || lanes > 1 ? call(valueType(dtype, lanes), nan) : nan;
  }
  return constantOf(value, dtype, lanes);
}

function loadPiece(e: Extract<KExpr, { kind: 'load' }>, scope: Scope): Piece {
  scope.buffersUsed.add(e.buffer);
  if (scope.inVectors(e.buffer)) return fromVectors(scope.name(e.buffer), e.index, lanesOf(e), scope);
  const index = exprPiece(e.index, scope);
  if (lanesOf(e) > 1 || e.mask) return loadLanes(e, index, scope);
  if (e.dtype === 'u8') return call(scope.unpacker(e.buffer), index);
  const word = element(scope.name(e.buffer), index);
  return e.dtype === 'bool' ? infix('!=', word, atom('0u')) : word;
}

/** A vector, or a component of one. */
function fromVectors(memory: string, index: KExpr, lanes: number, scope: Scope): Piece {
  const print = (e: KExpr): Piece => exprPiece(e, scope);
  return lanes > 1 ? element(memory, vectorPlace(index, print)) : componentAt(memory, index, print);
}

/** Masked loads and those of bytes are functions, so that index and mask are evaluated once. */
function loadLanes(e: Extract<KExpr, { kind: 'load' }>, index: Piece, scope: Scope): Piece {
  const lanes = lanesOf(e);
  const i32 = e.index.dtype === 'i32' ? index : call('i32', index);
  if (e.mask) return call(scope.loader(e.buffer, e.dtype, lanes, true), i32, exprPiece(e.mask, scope));
  if (e.dtype === 'u8') return call(scope.loader(e.buffer, e.dtype, lanes, false), i32);
  const words = elements(scope.name(e.buffer), index, e.index.dtype);
  if (e.dtype !== 'bool') return call(valueType(e.dtype, lanes), ...words);
  return infix('!=', call('vec4u', ...words), constantOf(0, 'u32', lanes));
}

/** The word that a value is stored as. */
export function storedPiece(value: Piece, dtype: DType): Piece {
  return dtype === 'bool' ? call('select', atom('0u'), atom('1u'), value) : value;
}

/** Words of random keys and counters keep their bits. */
function wordPiece(e: KExpr, scope: Scope): Piece {
  if (e.kind === 'cast' && e.dtype === 'u32' && e.a.dtype === 'i32')
    return call(valueType('u32', lanesOf(e)), exprPiece(e.a, scope));
  const a = exprPiece(e, scope);
  return e.dtype === 'u32' || e.dtype === 'u8' ? a : call(valueType('u32', lanesOf(e)), a);
}

/** A dim as i32 arithmetic over the uniform block. */
export function dimPiece(dim: Dim, scope: Scope): Piece {
  let sum: Piece | undefined;
  for (const { coefficient, atoms } of dim.terms) {
    let product: Piece | undefined;
    for (const factor of atoms) {
      const piece =
        factor.kind === 'symbol'
          ? atom(scope.uniform(factor.name, 'i32'))
          : factor.kind === 'max'
            ? factor.of.map(d => dimPiece(d, scope)).reduce((a, b) => call('max', a, b))
            : infix('/', dimPiece(factor.a, scope), dimPiece(factor.b, scope));
      product = product ? infix('*', product, piece) : piece;
    }
    const size = Math.abs(coefficient);
    const term = !product ? number(size) : size === 1 ? product : infix('*', number(size), product);
    if (sum) sum = infix(coefficient < 0 ? '-' : '+', sum, term);
    else sum = coefficient < 0 ? prefix('-', term) : term;
  }
  return sum ?? number(0);
}

function number(n: number): Piece {
  return atom(literal(n, 'i32'));
}
