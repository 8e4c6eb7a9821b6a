import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import * as B from '../../ops/build.ts';
import { primitive } from '../../ops/list.ts';
import { wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import { importTensor, tensor } from './tensors.ts';
import type { Val } from './values.ts';
import { describe, tensorOf } from './values.ts';

/** `a @ b`. A vector on the left counts as one row, on the right as one column, as in numpy. */
export function matmul(ctx: Context, left: Val, right: Val, span: Span): Val {
  const [a, b] = [left, right].map((v, i): Value => {
    const found = tensorOf(v);
    if (!found)
      ctx.fail(
        wrongKind(
          span,
          `\`@\` takes two tensors, but its ${i === 0 ? 'left' : 'right'} side is ${describe(v)}`,
        ),
      );
    const value = importTensor(ctx, found);
    if (value.type.shape.length === 0)
      ctx.fail(wrongKind(span, '`@` takes matrices and vectors, not scalars; use `*`'));
    return value;
  }) as [Value, Value];
  const [row, column] = [a.type.shape.length === 1, b.type.shape.length === 1];
  const one = D.constant(1);
  const product = ctx.b.emit(primitive('matmul')!, [
    row ? B.reshape(ctx.b, a, [one, a.type.shape[0]!]) : a,
    column ? B.reshape(ctx.b, b, [b.type.shape[0]!, one]) : b,
  ]);
  if (!row && !column) return tensor(ctx, product);
  const { shape } = product.type;
  const kept = [...shape.slice(0, -2), ...(row ? [] : [shape.at(-2)!]), ...(column ? [] : [shape.at(-1)!])];
  return tensor(ctx, B.reshape(ctx.b, product, kept));
}
