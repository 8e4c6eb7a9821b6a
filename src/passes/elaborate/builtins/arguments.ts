import type { Dim } from '../../../ir/dim.ts';
import type { Value } from '../../../ir/graph.ts';
import type { Attr } from '../../../ir/primitive.ts';
import type { DType } from '../../../ir/type.ts';
import { staticFailure, wrongArguments, wrongKind } from '../../../support/errors/shapes.ts';
import type { Context } from '../context.ts';
import { intOf } from '../evaluate.ts';
import { importTensor } from '../tensors.ts';
import type { Val } from '../values.ts';
import { asDim, describe, tensorOf } from '../values.ts';
import type { Argument, Bound } from './builtin.ts';

/** Readers of the arguments of built-in functions. */

export function argument(ctx: Context, args: Bound, name: string): Argument {
  return args.get(name) ?? ctx.fail(wrongArguments(args.span, `the argument \`${name}\` is missing`));
}

export function tensorArg(ctx: Context, args: Bound, name: string): Value {
  return asTensor(ctx, argument(ctx, args, name));
}

export function asTensor(ctx: Context, { value, span }: Argument): Value {
  const found = tensorOf(value);
  if (found) return importTensor(ctx, found);
  ctx.fail(wrongKind(span, `expected a tensor, found ${describe(value)}`));
}

export function intArg(ctx: Context, args: Bound, name: string, otherwise?: number): number {
  const given = otherwise === undefined ? argument(ctx, args, name) : args.get(name);
  return given ? intOf(ctx, given.value, `\`${name}\``, given.span) : otherwise!;
}

export function boolArg(ctx: Context, args: Bound, name: string, otherwise: boolean): boolean {
  const given = args.get(name);
  if (!given) return otherwise;
  if (given.value.kind === 'bool') return given.value.value;
  ctx.fail(wrongKind(given.span, `\`${name}\` must be true or false, not ${describe(given.value)}`));
}

export function dtypeArg(ctx: Context, args: Bound, name: string, otherwise: DType): DType {
  const given = args.get(name);
  if (!given) return otherwise;
  if (given.value.kind === 'dtype') return given.value.dtype;
  ctx.fail(wrongKind(given.span, `\`${name}\` must be a type such as f32, not ${describe(given.value)}`));
}

/** An axis counted from either end, of `rank` axes. */
export function axisArg(ctx: Context, args: Bound, name: string, rank: number, otherwise?: number): number {
  const axis = intArg(ctx, args, name, otherwise);
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  ctx.fail(staticFailure(args.get(name)?.span ?? args.span, `axis ${axis} is out of range for ${rank} axes`));
}

/** `axis = 1`, `axis = [0, 2]`, or all of them. */
export function axesArg(ctx: Context, args: Bound, name: string): Attr {
  const given = args.get(name);
  if (!given || given.value.kind === 'all') return 'all';
  const axis = (v: Val) => intOf(ctx, v, `\`${name}\``, given.span);
  return given.value.kind === 'list' ? given.value.items.map(axis) : [axis(given.value)];
}

/** Sizes given one by one or as a list. */
export function sizesOf(ctx: Context, rest: readonly Argument[]): Dim[] {
  return rest.flatMap(({ value, span }) => {
    const items = value.kind === 'list' ? value.items : [value];
    return items.map(
      v => asDim(v) ?? ctx.fail(wrongKind(span, `a size must be a whole number, not ${describe(v)}`)),
    );
  });
}
