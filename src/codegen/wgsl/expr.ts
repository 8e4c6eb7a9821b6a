import type { Dim } from '../../ir/dim.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { applyBinary, applyCast, applyUnary } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import type { Piece } from './layout.ts';
import { atom, call, element, infix, prefix } from './layout.ts';
import { literal } from './literal.ts';
import { binaryPiece, castPiece, unaryPiece } from './scalar.ts';
import type { Scope } from './scope.ts';

/** A kernel expression as a piece of WGSL. */
export function exprPiece(e: KExpr, scope: Scope): Piece {
  scope.note(e.dtype);
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
      return element(scope.name(e.array), exprPiece(e.index, scope));
    case 'unary': {
      const a = exprPiece(e.a, scope);
      if (a.constant !== undefined)
        return constantPiece(applyUnary(e.op, a.constant, e.dtype, 'f32'), e.dtype, scope);
      return unaryPiece(e.op, a, e.a.dtype, e.dtype, scope);
    }
    case 'binary': {
      const a = exprPiece(e.a, scope);
      const b = exprPiece(e.b, scope);
      if (a.constant !== undefined && b.constant !== undefined)
        return constantPiece(applyBinary(e.op, a.constant, b.constant, e.dtype, 'f32'), e.dtype, scope);
      return binaryPiece(e.op, a, b, e.a.dtype, scope);
    }
    case 'select':
      return call('select', exprPiece(e.b, scope), exprPiece(e.a, scope), exprPiece(e.condition, scope));
    case 'cast': {
      const a = exprPiece(e.a, scope);
      if (a.constant !== undefined)
        return constantPiece(applyCast(a.constant, e.dtype, 'f32', e.a.dtype), e.dtype, scope);
      return castPiece(a, e.a.dtype, e.dtype);
    }
    case 'random': {
      const words = e.args.map(a => wordPiece(a, scope));
      return call(scope.helper('threefry2x32'), ...words);
    }
  }
}

/** Constant subexpressions are folded here too, because WGSL refuses a module whose constants overflow. */
function constantPiece(value: number, dtype: DType, scope: Scope): Piece {
  if (Number.isNaN(value)) {
    const nan = call(scope.helper('nan'));
    return dtype === 'f16' ? call('f16', nan) : nan;
  }
  return atom(literal(value, dtype), value);
}

function loadPiece(e: Extract<KExpr, { kind: 'load' }>, scope: Scope): Piece {
  scope.buffersUsed.add(e.buffer);
  const index = exprPiece(e.index, scope);
  if (e.dtype === 'u8') return call(scope.unpacker(e.buffer), index);
  const word = element(scope.name(e.buffer), index);
  return e.dtype === 'bool' ? infix('!=', word, atom('0u')) : word;
}

/** The word that a value is stored as. */
export function storedPiece(value: Piece, dtype: DType): Piece {
  return dtype === 'bool' ? call('select', atom('0u'), atom('1u'), value) : value;
}

/** Words of random keys and counters keep their bits. */
function wordPiece(e: KExpr, scope: Scope): Piece {
  if (e.kind === 'cast' && e.dtype === 'u32' && e.a.dtype === 'i32')
    return call('u32', exprPiece(e.a, scope));
  const a = exprPiece(e, scope);
  return e.dtype === 'u32' || e.dtype === 'u8' ? a : call('u32', a);
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
