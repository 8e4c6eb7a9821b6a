import type { Expr } from '../../ir/compute.ts';

/** Arithmetic operations of an expression. */
export function operations(e: Expr): number {
  switch (e.kind) {
    case 'unary':
      return 1 + operations(e.a);
    case 'binary':
      return 1 + operations(e.a) + operations(e.b);
    case 'select':
      return 1 + operations(e.condition) + operations(e.a) + operations(e.b);
    case 'cast':
      // Widened once for each load (see the emitter), whatever it is used for.
      return (e.a.kind === 'load' && e.a.dtype === 'f16' ? 0 : 1) + operations(e.a);
    default:
      return 0;
  }
}
