import type { Expr } from './compute.ts';
import * as E from './expr.ts';
import type { UnaryOp } from './scalar.ts';

/**
 * Symbolic derivative of a scalar expression with respect to one load (every occurrence of it), or undefined where
 * it is zero everywhere. At a kink: `abs` has slope 0, `max` and `min` give the cotangent to the first of two equals.
 */
export function derivative(e: Expr, target: string): Expr | undefined {
  switch (e.kind) {
    case 'load':
      return E.exprKey(e) === target ? one : undefined;
    case 'unary': {
      const inner = derivative(e.a, target);
      const outer = inner && slopes[e.op]?.(e.a, e);
      return outer && times(outer, inner);
    }
    case 'binary':
      return binaryDerivative(e, target);
    case 'select': {
      const a = derivative(e.a, target);
      const b = derivative(e.b, target);
      return a || b ? E.select(e.condition, a ?? zero, b ?? zero) : undefined;
    }
    case 'cast':
      return e.dtype === 'f32' && e.a.dtype === 'f32' ? derivative(e.a, target) : undefined;
    default:
      return undefined;
  }
}

const zero = E.constant(0);
const one = E.constant(1);

const isOne = (e: Expr): boolean => e.kind === 'const' && e.value === 1;

export function times(a: Expr, b: Expr): Expr {
  if (isOne(a)) return b;
  return isOne(b) ? a : E.mul(a, b);
}

function plus(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  return a && b ? E.add(a, b) : (a ?? b);
}

const negative = (e: Expr): Expr => E.unary('neg', e);
const quotient = (a: Expr, b: Expr): Expr => E.binary('div', a, b);

/** d f(a) / d a, given f(a) itself; functions that are flat, or steps, have none. */
const slopes: Partial<Record<UnaryOp, (a: Expr, y: Expr) => Expr>> = {
  neg: () => E.constant(-1),
  abs: a => E.unary('sign', a),
  exp: (_, y) => y,
  log: a => quotient(one, a),
  sqrt: (_, y) => quotient(E.constant(0.5), y),
  sin: a => E.unary('cos', a),
  cos: a => negative(E.unary('sin', a)),
  atan: a => quotient(one, E.add(one, E.mul(a, a))),
  tanh: (_, y) => E.sub(one, E.mul(y, y)),
  sigmoid: (_, y) => E.mul(y, E.sub(one, y)),
  erf: a => E.mul(E.constant(2 / Math.sqrt(Math.PI)), E.unary('exp', negative(E.mul(a, a)))),
};

function binaryDerivative(e: Extract<Expr, { kind: 'binary' }>, target: string): Expr | undefined {
  const { a, b } = e;
  if (e.dtype !== 'f32') return undefined;
  const da = derivative(a, target);
  const db = derivative(b, target);
  if (!da && !db) return undefined;
  switch (e.op) {
    case 'add':
      return plus(da, db);
    case 'sub':
      return plus(da, db && negative(db));
    case 'mul':
      return plus(da && times(da, b), db && times(a, db));
    case 'div':
      // (a / b)' = a' / b - a b' / b^2
      return plus(da && quotient(da, b), db && negative(quotient(times(a, db), E.mul(b, b))));
    case 'pow':
      // (a^b)' = b a^(b-1) a' + a^b log(a) b'
      return plus(
        da && times(E.mul(b, E.binary('pow', a, E.sub(b, one))), da),
        db && times(E.mul(e, E.unary('log', a)), db),
      );
    case 'max':
      return E.select(E.binary('ge', a, b), da ?? zero, db ?? zero);
    case 'min':
      return E.select(E.binary('le', a, b), da ?? zero, db ?? zero);
    default:
      return undefined;
  }
}
