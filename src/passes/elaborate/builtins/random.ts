import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import type { Value } from '../../../ir/graph.ts';
import * as B from '../../../ops/build.ts';
import { primitive } from '../../../ops/list.ts';
import { misplaced } from '../../../support/errors/names.ts';
import { wrongKind } from '../../../support/errors/shapes.ts';
import type { Context } from '../context.ts';
import { TotalPending } from '../session.ts';
import { tensor } from '../tensors.ts';
import { argument, sizesOf, tensorArg } from './arguments.ts';
import type { Builtin } from './builtin.ts';

/** What all random numbers of a run are drawn from; inside a `scan`, of a turn. */
export function randomKey({ session, b }: Context): Value {
  return session.key?.() ?? b.input('key', 'key', { dtype: 'u32', shape: [D.constant(2)] });
}

/** Uniform in [0, 1): the upper 24 of 32 random bits, which f32 holds exactly, so all targets agree. */
function uniform(ctx: Context, shape: readonly Dim[]): Value {
  const { b } = ctx;
  const bits = b.emit(primitive('random_bits')!, [randomKey(ctx)], { shape, site: ctx.session.nextSite() });
  return B.mul(b, B.cast(b, B.floordiv(b, bits, 256), 'f32'), 2 ** -24);
}

/** Box and Muller's transform of two uniforms; 1 - u lies in (0, 1], where log is finite. */
function normal(ctx: Context, shape: readonly Dim[]): Value {
  const { b } = ctx;
  const u = uniform(ctx, shape);
  const v = uniform(ctx, shape);
  const radius = B.sqrt(b, B.mul(b, B.log(b, B.sub(b, 1, u)), -2));
  return B.mul(b, radius, B.cos(b, B.mul(b, v, 2 * Math.PI)));
}

function ofSizes(name: string, doc: string, draw: typeof uniform): Builtin {
  return {
    name,
    params: [],
    rest: true,
    doc,
    run: (ctx, args) => tensor(ctx, draw(ctx, sizesOf(ctx, args.rest))),
  };
}

function like(name: string, doc: string, draw: typeof uniform): Builtin {
  return {
    name,
    params: ['x'],
    required: 1,
    doc,
    run: (ctx, args) => tensor(ctx, draw(ctx, tensorArg(ctx, args, 'x').type.shape)),
  };
}

const total: Builtin = {
  name: 'total',
  params: ['x'],
  required: 1,
  doc: 'In a link of an optimiser: the sum of a scalar over all parameters of its `by`.',
  run: (ctx, args) => {
    const { totals } = ctx.session;
    if (!totals) return ctx.fail(misplaced(args.span, '`total` stands only in the blocks behind `by`'));
    const { value, span } = argument(ctx, args, 'x');
    if (tensorArg(ctx, args, 'x').type.shape.length > 0)
      return ctx.fail(
        wrongKind(span, '`total` adds up scalars', { hint: 'reduce first: `total(sum(g ^ 2))`' }),
      );
    const known = totals.known[totals.next++];
    if (!known) throw new TotalPending(value);
    return known;
  },
};

export const randomBuiltins: readonly Builtin[] = [
  ofSizes('rand', 'Uniform in [0, 1), of this shape: `rand(N, 784)`.', uniform),
  ofSizes('randn', 'Standard normal, of this shape: `randn(N, 100)`.', normal),
  like('rand_like', 'Uniform in [0, 1), of the shape of x.', uniform),
  like('randn_like', 'Standard normal, of the shape of x.', normal),
  total,
];
