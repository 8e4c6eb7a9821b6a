import * as A from '../../../ir/affine.ts';
import type { Axis, Index } from '../../../ir/compute.ts';
import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import * as E from '../../../ir/expr.ts';
import type { Value } from '../../../ir/graph.ts';
import { printType } from '../../../ir/type.ts';
import { emitIndexed } from '../../../ops/indexed.ts';
import { wrongArguments, wrongKind, wrongShape } from '../../../support/errors/shapes.ts';
import type { Context } from '../context.ts';
import { showDifference } from '../sizes.ts';
import { tensor } from '../tensors.ts';
import { argument, asTensor } from './arguments.ts';
import type { Bound, Builtin } from './builtin.ts';

/** Axes that `...` stands for, counted from the right, so that they align as in broadcasting. */
const dots = (fromRight: number): string => `...${fromRight}`;

/** `ij` or `...ij` as names of axes; `rank` says how many axes the dots are. */
function axisNames(ctx: Context, args: Bound, term: string, rank?: number): string[] {
  const text = term.replaceAll(' ', '');
  const [before, after, more] = text.split('...');
  if (more !== undefined || !/^[A-Za-z]*$/.test(`${before}${after ?? ''}`))
    ctx.fail(wrongArguments(args.span, `\`${term}\` is not a list of letters with at most one \`...\``));
  const letters = before!.length + (after?.length ?? 0);
  const hidden = after === undefined || rank === undefined ? 0 : Math.max(rank - letters, 0);
  return [...before!, ...Array.from({ length: hidden }, (_, i) => dots(hidden - 1 - i)), ...(after ?? '')];
}

/** The extent of every name; a size of 1 under dots goes with any other. */
function extentsOf(
  ctx: Context,
  args: Bound,
  values: readonly Value[],
  names: readonly (readonly string[])[],
): Map<string, Dim> {
  const extents = new Map<string, Dim>();
  values.forEach((value, k) => {
    const own = names[k]!;
    if (own.length !== value.type.shape.length)
      ctx.fail(
        wrongShape(
          args.span,
          `${own.length} letters for the ${value.type.shape.length} axes of ${printType(value.type)}`,
        ),
      );
    own.forEach((name, i) => {
      const size = value.type.shape[i]!;
      const known = extents.get(name);
      const stretches = name.startsWith('.');
      if (!known || (stretches && D.isConstant(known, 1))) extents.set(name, size);
      else if (!D.equal(known, size) && !(stretches && D.isConstant(size, 1)))
        ctx.fail(
          wrongShape(
            args.span,
            `\`${name}\` ranges over ${D.print(known)} and over ${D.print(size)}`,
            showDifference([known, size]),
          ),
        );
    });
  });
  return extents;
}

/** `einsum("ij,jk->ik", a, b)`: one indexed sum of products. Without `->` all letters that occur once stay, in alphabetical order. */
export const einsum: Builtin = {
  name: 'einsum',
  params: [],
  rest: true,
  doc: 'The sum of products that letters for axes describe: `einsum("bij,bjk->bik", a, b)`.',
  run: (ctx, args) => {
    const [first, ...operands] = args.rest;
    const equation = first ?? argument(ctx, args, 'equation');
    if (equation.value.kind !== 'string' || operands.length === 0)
      return ctx.fail(
        wrongKind(equation.span, '`einsum` takes a string such as "ij,jk->ik" and its tensors'),
      );
    const values = operands.map(o => asTensor(ctx, o));
    const [left, right] = equation.value.value.split('->') as [string, string | undefined];
    const terms = left.split(',');
    if (terms.length !== values.length)
      return ctx.fail(wrongArguments(args.span, `${terms.length} terms for ${values.length} tensors`));
    const names = terms.map((term, i) => axisNames(ctx, args, term, values[i]!.type.shape.length));
    const extents = extentsOf(ctx, args, values, names);
    const hidden = [...extents.keys()]
      .filter(name => name.startsWith('.'))
      .sort()
      .reverse();
    const once = [...extents.keys()].filter(
      n => !n.startsWith('.') && names.flat().filter(m => m === n).length === 1,
    );
    const letters = right?.replaceAll(' ', '').replaceAll('...', '').length ?? 0;
    const result =
      right === undefined
        ? [...hidden, ...once.sort()]
        : axisNames(ctx, args, right, hidden.length + letters);
    const unknown = result.find((name, i) => !extents.has(name) || result.indexOf(name) !== i);
    if (unknown !== undefined)
      return ctx.fail(
        wrongArguments(args.span, `\`${unknown}\` must stand once in the result and in some term`),
      );
    const axes = new Map(
      [...extents].map(([name, extent], i): [string, Axis] => [name, { name: `e${i}`, extent }]),
    );
    const at = (value: Value, own: readonly string[]): Index[] =>
      own.map((name, i) => {
        const alone = D.isConstant(value.type.shape[i]!, 1) && !D.isConstant(extents.get(name)!, 1);
        return A.index(alone ? 0 : axes.get(name)!);
      });
    const loads = values.map((value, i) => E.cast('f32', E.load(i, value.type, at(value, names[i]!))));
    const over = [...axes].filter(([name]) => !result.includes(name)).map(([, axis]) => axis);
    const definition = {
      name: 'einsum',
      inputs: values.map(v => v.type),
      axes: result.map(name => axes.get(name)!),
      over: over.length > 0 ? over : [{ name: 'one', extent: D.constant(1) }],
      reduction: 'sum' as const,
      lift: loads.reduce((product, load) => E.mul(product, load)),
    };
    return tensor(ctx, emitIndexed(ctx.b, definition, values));
  },
};
