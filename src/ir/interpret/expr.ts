import type { Axis, Comparison, Expr, Index, Predicate } from '../compute.ts';
import type { DimEnv } from '../dim.ts';
import * as D from '../dim.ts';
import type { Precision } from '../scalar.ts';
import { applyBinary, applyCast, applyUnary, normalise, threefry2x32 } from '../scalar.ts';

/** A compiled expression: reads the current axis values and yields a number. */
export type Thunk = () => number;

/**
 * What an expression's leaves mean. Compute, its adjoint and Kernel give their own; the rest of the meaning stands here.
 */
export interface ExprScope {
  readonly dims: DimEnv;
  readonly precision: Precision;
  /** The current value of an iteration variable. */
  axis(axis: Axis): Thunk;
  /** Reads inputs[input][at]; must throw where `at` is out of range. */
  load(input: number, at: readonly Thunk[]): Thunk;
  /** A component of a finished reduction. */
  reduced(component: number): Thunk;
}

/** Turns an expression into a closure, once; evaluating it walks no tree. */
export function compileExpr(e: Expr, scope: ExprScope): Thunk {
  const { precision } = scope;
  switch (e.kind) {
    case 'const':
      return always(normalise(e.value, e.dtype, precision));
    case 'dim':
      return always(D.evaluate(e.dim, scope.dims));
    case 'index':
      return compileIndex(e.index, scope);
    case 'load': {
      const read = scope.load(
        e.input,
        e.at.map(i => compileIndex(i, scope)),
      );
      if (!e.guard || e.guard.length === 0) return read;
      const holds = compilePredicate(e.guard, scope);
      const fill = normalise(e.fill ?? 0, e.dtype, precision);
      return () => (holds() ? read() : fill);
    }
    case 'unary': {
      const { op, dtype } = e;
      const a = compileExpr(e.a, scope);
      return () => applyUnary(op, a(), dtype, precision);
    }
    case 'binary':
      return compileBinary(e, compileExpr(e.a, scope), compileExpr(e.b, scope), precision);
    case 'select': {
      const condition = compileExpr(e.condition, scope);
      const a = compileExpr(e.a, scope);
      const b = compileExpr(e.b, scope);
      return () => (condition() !== 0 ? a() : b());
    }
    case 'cast': {
      const { dtype } = e;
      const from = e.a.dtype;
      const a = compileExpr(e.a, scope);
      return () => applyCast(a(), dtype, precision, from);
    }
    case 'random': {
      const [k0, k1, c0, c1] = e.args.map(a => compileExpr(a, scope));
      return () => threefry2x32(k0!(), k1!(), c0!(), c1!());
    }
    case 'reduced':
      return scope.reduced(e.component);
  }
}

/** The two operations of a contraction get closures of their own; the others go through the scalar table. */
function compileBinary(
  e: Extract<Expr, { kind: 'binary' }>,
  a: Thunk,
  b: Thunk,
  precision: Precision,
): Thunk {
  const { op, dtype } = e;
  const isFloat = dtype === 'f32' || (dtype === 'f16' && precision === 'f64');
  if (isFloat && op === 'add') return precision === 'f64' ? () => a() + b() : () => Math.fround(a() + b());
  if (isFloat && op === 'mul') return precision === 'f64' ? () => a() * b() : () => Math.fround(a() * b());
  return () => applyBinary(op, a(), b(), dtype, precision);
}

export function compileIndex(x: Index, scope: ExprScope): Thunk {
  switch (x.kind) {
    case 'dim':
      return always(D.evaluate(x.dim, scope.dims));
    case 'axis':
      return scope.axis(x.axis);
    case 'value':
      return compileExpr(x.value, scope);
    case 'op': {
      const a = compileIndex(x.a, scope);
      const b = compileIndex(x.b, scope);
      switch (x.op) {
        case 'add':
          return () => a() + b();
        case 'mul':
          return () => a() * b();
        case 'floordiv':
          return () => Math.floor(a() / b());
        case 'mod':
          return () => {
            const n = b();
            const i = a();
            return i - Math.floor(i / n) * n;
          };
        case 'min':
          return () => Math.min(a(), b());
        case 'max':
          return () => Math.max(a(), b());
      }
    }
  }
}

/** Comparisons are tried in order; later ones are not evaluated once one fails. */
export function compilePredicate(predicate: Predicate, scope: ExprScope): () => boolean {
  const tests = predicate.map(c => compileComparison(c, scope));
  if (tests.length === 1) return tests[0]!;
  return () => {
    for (const test of tests) if (!test()) return false;
    return true;
  };
}

function compileComparison(c: Comparison, scope: ExprScope): () => boolean {
  const a = compileIndex(c.a, scope);
  const b = compileIndex(c.b, scope);
  switch (c.op) {
    case 'lt':
      return () => a() < b();
    case 'le':
      return () => a() <= b();
    case 'eq':
      return () => a() === b();
  }
}

function always(x: number): Thunk {
  return () => x;
}
