import type { KExpr } from './kernel.ts';

/** The expressions that an expression is directly made of, in the order of evaluation. */
export function partsOf(e: KExpr): readonly KExpr[] {
  switch (e.kind) {
    case 'const':
    case 'ref':
    case 'builtin':
    case 'uniform':
      return [];
    case 'load':
      return e.mask ? [e.index, e.mask] : [e.index];
    case 'load-shared':
      return [e.index];
    case 'unary':
    case 'cast':
    case 'splat':
    case 'lane':
      return [e.a];
    case 'binary':
    case 'shuffle':
      return [e.a, e.b];
    case 'select':
      return [e.condition, e.a, e.b];
    case 'random':
      return e.args;
    case 'lanes':
      return e.parts;
  }
}
