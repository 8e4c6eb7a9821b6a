import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { isInteger, printType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { primitive } from '../../ops/list.ts';
import type { Expr, IndexItem } from '../../parser/ast.ts';
import { staticFailure, wrongDType, wrongKind, wrongShape } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import { evaluate, staticInt } from './evaluate.ts';
import { turn } from './fields.ts';
import { unpoisoned } from './lookup.ts';
import type { Scope } from './scope.ts';
import { importTensor, tensor } from './tensors.ts';
import type { Val } from './values.ts';
import { asDim, describe, list, tensorOf } from './values.ts';

type IndexExpr = Extract<Expr, { kind: 'index' }>;

/** `value[index]` of a list, of the turns of a repeat, or of a tensor. */
export function index(ctx: Context, scope: Scope, expr: IndexExpr): Val {
  const value = evaluate(ctx, scope, expr.value);
  switch (value.kind) {
    case 'list':
      return indexList(ctx, scope, expr, value.items);
    case 'group': {
      const i = soleIndex(ctx, scope, expr);
      const found = turn(value, i);
      if (found) return unpoisoned(found);
      return ctx.fail(staticFailure(expr.span, `there is no \`${value.key}[${i}]\``));
    }
    default: {
      const found = tensorOf(value);
      if (!found) ctx.fail(wrongKind(expr.span, `${describe(value)} cannot be indexed`));
      return ctx.within(scope.module, { span: expr.span }, () =>
        tensor(ctx, slice(ctx, scope, importTensor(ctx, found), expr)),
      );
    }
  }
}

function soleIndex(ctx: Context, scope: Scope, expr: IndexExpr): number {
  const [item] = expr.index;
  if (expr.index.length !== 1 || item?.kind !== 'at') ctx.fail(wrongKind(expr.span, 'this takes one index'));
  return staticInt(ctx, scope, item.value, 'an index');
}

function indexList(ctx: Context, scope: Scope, expr: IndexExpr, items: readonly Val[]): Val {
  const [item] = expr.index;
  if (expr.index.length === 1 && item?.kind === 'slice') {
    const bound = (e: Expr | undefined, otherwise: number) =>
      e ? staticInt(ctx, scope, e, 'a bound of a slice') : otherwise;
    const step = bound(item.step, 1);
    if (step === 0) ctx.fail(staticFailure(expr.span, 'the step of a slice must not be 0'));
    if (step > 0)
      return list(
        items.slice(bound(item.from, 0), bound(item.to, items.length)).filter((_, i) => i % step === 0),
      );
    // Back from the first bound, down to what lies behind the second.
    const back = items.slice(
      item.to ? bound(item.to, 0) + 1 || items.length : 0,
      bound(item.from, -1) + 1 || undefined,
    );
    return list(back.reverse().filter((_, i) => i % step === 0));
  }
  const i = soleIndex(ctx, scope, expr);
  const found = items.at(i);
  if (found && i >= -items.length) return found;
  ctx.fail(staticFailure(expr.span, `index ${i} is out of range for a list of ${items.length}`));
}

/**
 * numpy's indexing: a number drops its axis, a slice keeps it, `...` stands for all axes between. One index may be a
 * tensor of positions, whose axes take the place of the one that it picks from.
 */
function slice(ctx: Context, scope: Scope, x: Value, expr: IndexExpr): Value {
  const { shape } = x.type;
  const given = expr.index.filter(i => i.kind !== 'ellipsis').length;
  const dots = expr.index.length - given;
  if (dots > 1) ctx.fail(wrongKind(expr.span, 'an index has at most one `...`'));
  if (given > shape.length)
    ctx.fail(
      wrongShape(expr.span, `${given} indices for ${shape.length} axes`, { label: printType(x.type) }),
    );
  const parts = shape.map((size): Part => ({ start: D.constant(0), end: size, step: 1, dropped: false }));
  let axis = 0;
  for (const item of expr.index) {
    if (item.kind === 'ellipsis') axis += shape.length - given;
    else {
      parts[axis] = part(ctx, scope, item, shape[axis]!, axis);
      axis++;
    }
  }
  const sliced = B.slice(
    ctx.b,
    x,
    parts.map(p => p.start),
    parts.map(p => p.end),
    parts.map(p => p.step),
  );
  const axes = sliced.type.shape;
  const kept = (d: Dim, i: number): Dim[] => (parts[i]!.dropped ? [] : [d]);
  const at = parts.findIndex(p => p.positions);
  if (at < 0) return B.reshape(ctx.b, sliced, axes.flatMap(kept));
  if (parts.some((p, i) => p.positions && i !== at))
    ctx.fail(
      wrongKind(expr.span, 'one index at a time may be a tensor', { hint: 'index again: `x[i][:, j]`' }),
    );
  const { positions } = parts[at]!;
  const picked = pick(ctx, sliced, positions!, at);
  return B.reshape(
    ctx.b,
    picked,
    axes.flatMap((d, i) => (i === at ? positions!.type.shape : kept(d, i))),
  );
}

/** The slices of x at positions along an axis, in their order. */
function pick(ctx: Context, x: Value, positions: Value, axis: number): Value {
  const count = D.product(positions.type.shape);
  const ones = x.type.shape.map(() => D.constant(1));
  const along = B.reshape(ctx.b, positions, ones.with(axis, count));
  const index = B.broadcastTo(ctx.b, along, x.type.shape.with(axis, count));
  return ctx.b.emit(primitive('gather')!, [x, index], { axis });
}

interface Part {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
  readonly dropped: boolean;
  /** A tensor of positions along the axis, which is not sliced. */
  readonly positions?: Value;
}

function part(
  ctx: Context,
  scope: Scope,
  item: Exclude<IndexItem, { kind: 'ellipsis' }>,
  size: Dim,
  axis: number,
): Part {
  const at = (e: Expr, value = evaluate(ctx, scope, e)): Dim => {
    const dim = asDim(value);
    if (!dim) ctx.fail(wrongKind(e.span, `an index must be a whole number, not ${describe(value)}`));
    return (D.constantValue(dim) ?? 0) < 0 ? D.add(size, dim) : dim;
  };
  if (item.kind === 'at') {
    const value = evaluate(ctx, scope, item.value);
    const found = asDim(value) ? undefined : tensorOf(value);
    if (found) {
      const positions = importTensor(ctx, found);
      if (!isInteger(positions.type.dtype))
        ctx.fail(
          wrongDType(item.span, `positions must be integers, not ${printType(positions.type)}`, {
            hint: 'convert them with `cast(…, i32)`',
          }),
        );
      return { start: D.constant(0), end: size, step: 1, dropped: false, positions };
    }
    const start = at(item.value, value);
    const last = D.sub(D.sub(size, D.constant(1)), start);
    if ((D.constantValue(last) ?? 0) < 0 || (D.constantValue(start) ?? 0) < 0)
      ctx.fail(
        staticFailure(
          item.span,
          `index ${D.print(start)} is out of range for axis ${axis} of size ${D.print(size)}`,
        ),
      );
    return { start, end: D.add(start, D.constant(1)), step: 1, dropped: true };
  }
  const step = item.step ? staticInt(ctx, scope, item.step, 'the step of a slice') : 1;
  if (step === 0) ctx.fail(staticFailure(item.span, 'the step of a slice must not be 0'));
  // Backwards, the first bound is the highest index and the second one lies below the lowest.
  if (step < 0)
    return {
      start: item.to ? D.add(at(item.to), D.constant(1)) : D.constant(0),
      end: item.from ? D.add(at(item.from), D.constant(1)) : size,
      step,
      dropped: false,
    };
  return {
    start: item.from ? at(item.from) : D.constant(0),
    end: item.to ? at(item.to) : size,
    step,
    dropped: false,
  };
}
