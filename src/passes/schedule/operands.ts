import type { Expr } from '../../ir/compute.ts';

/** The expressions that one node is made of; none for leaves. */
export function operands(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'unary':
    case 'cast':
      return [e.a];
    case 'binary':
      return [e.a, e.b];
    case 'select':
      return [e.condition, e.a, e.b];
    case 'random':
      return e.args;
    default:
      return [];
  }
}

/** The node alone: operands replaced by place holders that `reduced` answers in order. */
export function withOperands(e: Expr): Expr {
  const hole = (of: Expr): Expr => ({ kind: 'reduced', dtype: of.dtype, component: -1 });
  switch (e.kind) {
    case 'unary':
    case 'cast':
      return { ...e, a: hole(e.a) };
    case 'binary':
      return { ...e, a: hole(e.a), b: hole(e.b) };
    case 'select':
      return { ...e, condition: hole(e.condition), a: hole(e.a), b: hole(e.b) };
    case 'random':
      return { ...e, args: e.args.map(hole) as unknown as typeof e.args };
    default:
      return e;
  }
}
