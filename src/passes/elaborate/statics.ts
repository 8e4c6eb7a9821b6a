import type { TypeExpr } from '../../parser/ast.ts';
import { notStatic, wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import { textOf } from './types.ts';
import type { Val } from './values.ts';
import { asDim, describe, float, isCallable, list, tensorOf } from './values.ts';

/**
 * A value as an argument of a compile-time type. `float` also takes a run-time scalar; `int[]` takes one int for all,
 * and `all`.
 */
export function coerce(ctx: Context, type: TypeExpr, v: Val, what: string, span: Span): Val {
  const name = type.name.name;
  if (type.dims === undefined) {
    const found = scalar(name, v);
    if (found) return found;
  } else if (v.kind === 'list') {
    const items = v.items.map(item => scalar(name, item));
    if (items.every(item => item !== undefined)) return list(items);
  } else if (v.kind === 'all') return v;
  else {
    const one = scalar(name, v);
    if (one) return one;
  }
  if (tensorOf(v) && name !== 'block' && name !== 'fn') ctx.fail(notStatic(span, what, describe(v)));
  ctx.fail(wrongKind(span, `${what} must be \`${textOf(type)}\`, not ${describe(v)}`));
}

function scalar(type: string, v: Val): Val | undefined {
  switch (type) {
    case 'int':
      return asDim(v) && !(v.kind === 'number' && v.isFloat) ? v : undefined;
    case 'float': {
      if (v.kind === 'number') return float(v.value);
      if (v.kind === 'dim') return v;
      const tensor = tensorOf(v);
      return tensor?.value.type.dtype === 'f32' && tensor.value.type.shape.length === 0 ? tensor : undefined;
    }
    case 'bool':
    case 'string':
      return v.kind === type ? v : undefined;
    case 'block':
    case 'fn':
      return isCallable(v) ? v : undefined;
    default:
      return undefined;
  }
}
