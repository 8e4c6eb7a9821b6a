import type { KExpr } from '../../ir/kernel.ts';

export type Named = Extract<KExpr, { kind: 'ref' | 'uniform' }>;

/** Whether an i32 is surely at least 0; `known` tells it of names. Indices do not overflow. */
export function isNotNegative(e: KExpr, known: (leaf: Named) => boolean): boolean {
  const holds = (inner: KExpr): boolean => isNotNegative(inner, known);
  switch (e.kind) {
    case 'const':
      return e.value >= 0;
    case 'builtin':
      return true;
    case 'ref':
    case 'uniform':
      return known(e);
    case 'cast':
      return e.a.dtype === 'bool' || e.a.dtype === 'u8';
    case 'select':
      return holds(e.a) && holds(e.b);
    case 'binary':
      switch (e.op) {
        case 'floordiv':
        case 'mod':
          return true;
        case 'add':
        case 'mul':
        case 'min':
        case 'div':
          return holds(e.a) && holds(e.b);
        case 'max':
        case 'and':
          return holds(e.a) || holds(e.b);
        default:
          return false;
      }
    default:
      return false;
  }
}
