import type { Dim } from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { primitive } from '../../ops/list.ts';
import { wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import type { TensorVal, Val } from './values.ts';
import { describe, tensorOf } from './values.ts';

export function tensor(ctx: Context, value: Value): TensorVal {
  return { kind: 'tensor', value, home: ctx.b };
}

/** A size as a run-time scalar. */
export function sizeValue(ctx: Context, dim: Dim, dtype: DType): Value {
  const whole = isFloat(dtype) || dtype === 'i32' || dtype === 'u32' ? dtype : 'i32';
  return ctx.b.emit(primitive('size')!, [], { dim, dtype: whole });
}

/**
 * A tensor as a value of the graph under construction. Initial values may be made from data (`param image = content`):
 * what they depend on is then made again in the graph that initialises.
 */
export function importTensor(ctx: Context, { value, home }: TensorVal): Value {
  return home === ctx.b ? value : transplant(ctx, value);
}

function transplant(ctx: Context, value: Value): Value {
  const { imported } = ctx.session;
  const known = imported.get(value);
  if (known) return known;
  const { node } = value;
  let outputs: readonly Value[];
  switch (node.kind) {
    case 'input':
      if (node.role !== 'data' && node.role !== 'key' && node.role !== 'input')
        ctx.fail(
          wrongKind(
            ctx.site.span,
            `an initial value cannot depend on \`${node.name}\`, which is computed later`,
          ),
        );
      outputs = [ctx.b.input(node.role, node.name, value.type, node.origin)];
      break;
    case 'op': {
      const inputs = node.inputs.map(v => transplant(ctx, v));
      outputs = ctx.b.emitAll(node.op, inputs, node.attrs, node.origin);
      break;
    }
    case 'loop':
      outputs = ctx.b.loop(
        node,
        node.inputs.map(v => transplant(ctx, v)),
        node.origin,
      );
  }
  node.outputs.forEach((v, i) => {
    imported.set(v, outputs[i]!);
  });
  return imported.get(value)!;
}

/** A value where a tensor is wanted: numbers, sizes and switches become scalars of the dtype. */
export function toTensor(ctx: Context, v: Val, span: Span, dtype: DType = 'f32'): Value {
  const found = tensorOf(v);
  if (found) return importTensor(ctx, found);
  if (v.kind === 'number' && (isFloat(dtype) || Number.isInteger(v.value)))
    return B.scalar(ctx.b, v.value, dtype);
  if (v.kind === 'bool') return B.scalar(ctx.b, v.value ? 1 : 0, 'bool');
  if (v.kind === 'dim') return sizeValue(ctx, v.dim, dtype);
  ctx.fail(wrongKind(span, `expected a tensor, found ${describe(v)}`));
}
