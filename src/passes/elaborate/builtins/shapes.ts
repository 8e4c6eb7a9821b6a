import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import type { Value } from '../../../ir/graph.ts';
import { firstDifference, printShape, printType, sameShape } from '../../../ir/type.ts';
import * as B from '../../../ops/build.ts';
import { primitive } from '../../../ops/list.ts';
import { staticFailure, wrongArguments, wrongKind, wrongShape } from '../../../support/errors/shapes.ts';
import type { Context } from '../context.ts';
import { intOf } from '../evaluate.ts';
import { showDifference } from '../sizes.ts';
import { tensor } from '../tensors.ts';
import type { Val } from '../values.ts';
import { bool, describe, int, list, MAX_LIST, size, tensorOf } from '../values.ts';
import { argument, asTensor, axesArg, axisArg, dtypeArg, intArg, sizesOf, tensorArg } from './arguments.ts';
import type { Argument, Bound, Builtin } from './builtin.ts';

/** The argument `n`, which is the length of a list. */
function listLength(ctx: Context, args: Bound): number {
  const n = intArg(ctx, args, 'n');
  if (n > MAX_LIST) ctx.fail(staticFailure(args.span, `${n} entries are too many, at most ${MAX_LIST}`));
  return n;
}

const reshape: Builtin = {
  name: 'reshape',
  params: [],
  rest: true,
  doc: 'The same elements in another shape: `reshape(x, N, 512, 4, 4)`. One size may be -1.',
  run: (ctx, args) => {
    const [first, ...sizes] = args.rest;
    if (!first)
      return ctx.fail(wrongArguments(args.span, '`reshape` needs a tensor and the sizes of its new shape'));
    const x = asTensor(ctx, first);
    const shape = sizesOf(ctx, sizes);
    const open = shape.findIndex(d => D.isConstant(d, -1));
    if (open >= 0) {
      const rest = D.product(shape.filter((_, i) => i !== open));
      const inferred = D.divideExact(D.product(x.type.shape), rest);
      if (!inferred)
        return ctx.fail(
          wrongShape(
            args.span,
            `${printType(x.type)} does not divide into ${D.print(rest)}`,
            showDifference(remainder(D.product(x.type.shape), rest)),
          ),
        );
      shape[open] = inferred;
    }
    return tensor(ctx, B.reshape(ctx.b, x, shape));
  },
};

/** A size and what whole parts make of it: they differ where something is left over. */
function remainder(size: D.Dim, parts: D.Dim): readonly [D.Dim, D.Dim] | undefined {
  return D.isConstant(parts, 0) ? undefined : [size, D.mul(parts, D.floorDiv(size, parts))];
}

const transpose: Builtin = {
  name: 'transpose',
  params: [],
  rest: true,
  doc: 'Axes in another order, `transpose(x, 0, 2, 1)`; without an order, the last two change places.',
  run: (ctx, args) => {
    const [first, ...order] = args.rest;
    if (!first) return ctx.fail(wrongArguments(args.span, '`transpose` needs a tensor'));
    const x = asTensor(ctx, first);
    const rank = x.type.shape.length;
    const given = order.flatMap(({ value, span }) =>
      (value.kind === 'list' ? value.items : [value]).map(v => intOf(ctx, v, 'an axis', span)),
    );
    if (given.length === 0 && rank < 2)
      return ctx.fail(wrongShape(args.span, `${printType(x.type)} has no two axes to swap`));
    const swapped = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    const perm = (given.length > 0 ? given : swapped).map(axis => (axis < 0 ? axis + rank : axis));
    if (perm.length !== rank || new Set(perm).size !== rank || perm.some(a => a < 0 || a >= rank))
      return ctx.fail(
        wrongShape(
          args.span,
          `[${given.join(', ')}] is no order of the ${rank} axes of ${printType(x.type)}`,
        ),
      );
    return tensor(ctx, B.transpose(ctx.b, x, perm));
  },
};

const broadcast: Builtin = {
  name: 'broadcast',
  params: [],
  rest: true,
  doc: 'x repeated along new and size-1 axes: `broadcast(x, N, 3)`.',
  run: (ctx, args) => {
    const [first, ...sizes] = args.rest;
    if (!first) return ctx.fail(wrongArguments(args.span, '`broadcast` needs a tensor and a shape'));
    return tensor(ctx, B.broadcastTo(ctx.b, asTensor(ctx, first), sizesOf(ctx, sizes)));
  },
};

const concat: Builtin = {
  name: 'concat',
  params: ['axis'],
  required: 1,
  rest: true,
  doc: 'Tensors one after the other along an axis: `concat(a, b, axis = 1)`.',
  run: (ctx, args) => {
    const parts = tensorsOf(ctx, args.rest);
    const axis = axisArg(ctx, args, 'axis', parts[0]?.type.shape.length ?? 1);
    return tensor(ctx, ctx.b.emit(primitive('concat')!, parts, { axis }));
  },
};

const stack: Builtin = {
  name: 'stack',
  params: ['axis'],
  rest: true,
  doc: 'Tensors of one shape side by side along a new axis: `stack(h, c)`, `stack(states, axis = 1)`.',
  run: (ctx, args) => {
    const parts = tensorsOf(ctx, args.rest);
    const axis = axisArg(ctx, args, 'axis', (parts[0]?.type.shape.length ?? 0) + 1, 0);
    const widened = parts.map(v => {
      const { shape } = v.type;
      return B.reshape(ctx.b, v, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
    });
    return tensor(ctx, ctx.b.emit(primitive('concat')!, widened, { axis }));
  },
};

/** Tensors given one by one or as a list. */
const tensorsOf = (ctx: Context, rest: readonly Argument[]): Value[] =>
  rest.flatMap(arg =>
    arg.value.kind === 'list'
      ? arg.value.items.map(value => asTensor(ctx, { value, span: arg.span }))
      : [asTensor(ctx, arg)],
  );

const split: Builtin = {
  name: 'split',
  params: ['x', 'n', 'axis'],
  required: 2,
  doc: 'n equal parts along an axis: `(a, b) = split(x, 2, axis = 1)`.',
  run: (ctx, args) => {
    const x = tensorArg(ctx, args, 'x');
    const { shape } = x.type;
    const n = listLength(ctx, args);
    const axis = axisArg(ctx, args, 'axis', shape.length, 0);
    const part = n > 0 ? D.divideExact(shape[axis]!, D.constant(n)) : undefined;
    if (!part)
      return ctx.fail(
        wrongShape(
          args.span,
          `axis ${axis} of ${printType(x.type)} does not split into ${n} equal parts`,
          showDifference(remainder(shape[axis]!, D.constant(n))),
        ),
      );
    const starts = (i: number) => shape.map((_, k) => (k === axis ? D.scale(part, i) : D.constant(0)));
    const ends = (i: number) => shape.map((d, k) => (k === axis ? D.scale(part, i + 1) : d));
    return list(Array.from({ length: n }, (_, i) => tensor(ctx, B.slice(ctx.b, x, starts(i), ends(i)))));
  },
};

const unsqueeze: Builtin = {
  name: 'unsqueeze',
  params: ['x', 'axis'],
  required: 2,
  doc: 'A new axis of size 1 at this position.',
  run: (ctx, args) => {
    const x = tensorArg(ctx, args, 'x');
    const axis = axisArg(ctx, args, 'axis', x.type.shape.length + 1);
    return tensor(ctx, B.reshape(ctx.b, x, x.type.shape.toSpliced(axis, 0, D.constant(1))));
  },
};

const squeeze: Builtin = {
  name: 'squeeze',
  params: ['x', 'axis'],
  required: 2,
  doc: 'x without an axis, which must have size 1.',
  run: (ctx, args) => {
    const x = tensorArg(ctx, args, 'x');
    const axis = axisArg(ctx, args, 'axis', x.type.shape.length);
    if (!D.isConstant(x.type.shape[axis]!, 1))
      return ctx.fail(wrongShape(args.span, `axis ${axis} of ${printType(x.type)} is not of size 1`));
    return tensor(ctx, B.reshape(ctx.b, x, x.type.shape.toSpliced(axis, 1)));
  },
};

/** Constants of any shape; as an initialiser they get the shape as one list. */
function filled(name: string, value: number): Builtin {
  return {
    name,
    params: ['dtype'],
    rest: true,
    doc: `A tensor of ${name} of this shape: \`${name}(N, 10)\`.`,
    run: (ctx, args) => {
      const type = { dtype: dtypeArg(ctx, args, 'dtype', 'f32'), shape: sizesOf(ctx, args.rest) };
      return tensor(ctx, B.full(ctx.b, value, type));
    },
  };
}

const iota: Builtin = {
  name: 'iota',
  params: ['axis', 'dtype'],
  rest: true,
  doc: 'The position of each element along an axis, 0, 1, 2, …: `iota(10)`, `iota(N, 10, axis = 1)`.',
  run: (ctx, args) => {
    const shape = sizesOf(ctx, args.rest);
    const axis = axisArg(ctx, args, 'axis', shape.length, 0);
    return tensor(ctx, B.iota(ctx.b, shape, axis, dtypeArg(ctx, args, 'dtype', 'i32')));
  },
};

const len: Builtin = {
  name: 'len',
  params: ['x'],
  required: 1,
  doc: 'The number of elements of a list; the first size of a tensor.',
  run: (ctx, args) => {
    const { value, span } = argument(ctx, args, 'x');
    if (value.kind === 'list') return int(value.items.length);
    const first = tensorOf(value)?.value.type.shape[0];
    return first ? size(first) : ctx.fail(wrongKind(span, `${describe(value)} has no length`));
  },
};

const shapeOf: Builtin = {
  name: 'shape',
  params: ['x'],
  required: 1,
  doc: 'The sizes of a tensor, as a list.',
  run: (ctx, args) => list(tensorArg(ctx, args, 'x').type.shape.map(size)),
};

const rank: Builtin = {
  name: 'rank',
  params: ['x'],
  required: 1,
  doc: 'How many axes a tensor has; a number has none.',
  run: (ctx, args) => {
    const { value } = argument(ctx, args, 'x');
    return int(tensorOf(value)?.value.type.shape.length ?? 0);
  },
};

const count: Builtin = {
  name: 'count',
  params: ['x', 'axis'],
  required: 1,
  doc: 'How many elements a tensor has over some axes, or over all.',
  run: (ctx, args) => {
    const { shape } = tensorArg(ctx, args, 'x').type;
    const axes = axesArg(ctx, args, 'axis');
    if (!Array.isArray(axes)) return size(D.product(shape));
    const sizes = axes.map((axis): Dim => {
      const found = typeof axis === 'number' && axis >= -shape.length ? shape.at(axis) : undefined;
      return (
        found ??
        ctx.fail(staticFailure(args.span, `axis ${String(axis)} is out of range for ${shape.length} axes`))
      );
    });
    return size(D.product(sizes));
  },
};

const perAxis: Builtin = {
  name: 'per_axis',
  params: ['value', 'n'],
  required: 2,
  doc: 'A list of n entries: a number is repeated, a list must have n.',
  run: (ctx, args) => {
    const { value, span } = argument(ctx, args, 'value');
    const n = listLength(ctx, args);
    const items: readonly Val[] =
      value.kind === 'list' ? value.items : Array.from({ length: n }, () => value);
    if (items.length !== n)
      return ctx.fail(
        wrongKind(
          span,
          `${describe(value)} has ${items.length} entries, ${n} are needed: one per spatial axis`,
        ),
      );
    return list(items);
  },
};

const asList: Builtin = {
  name: 'as_list',
  params: ['value'],
  required: 1,
  doc: 'A list as it is; anything else as a list of one.',
  run: (ctx, args) => {
    const { value } = argument(ctx, args, 'value');
    return value.kind === 'list' ? value : list([value]);
  },
};

const sameSizes: Builtin = {
  name: 'same_sizes',
  params: ['a', 'b'],
  required: 2,
  doc: 'Whether two lists of sizes are equal whatever the free dims are.',
  run: (ctx, args) => {
    const [a, b] = ['a', 'b'].map(name => sizesOf(ctx, [argument(ctx, args, name)]));
    return bool(sameShape(a!, b!));
  },
};

const isFixed: Builtin = {
  name: 'is_fixed',
  params: ['size'],
  required: 1,
  doc: 'Whether a size is a number when the file is compiled, and not free.',
  run: (ctx, args) => {
    const [size] = sizesOf(ctx, [argument(ctx, args, 'size')]);
    return bool(D.constantValue(size!) !== undefined);
  },
};

const fail: Builtin = {
  name: 'fail',
  params: ['message'],
  required: 1,
  doc: 'Ends the compilation with this message where it is reached: for arguments that a function cannot work with.',
  run: (ctx, args) => {
    const { value, span } = argument(ctx, args, 'message');
    const text = value.kind === 'string' ? value.value : ctx.fail(wrongKind(span, 'a message is a string'));
    return ctx.fail(wrongArguments(ctx.site.span, text));
  },
};

const ofShape: Builtin = {
  name: 'of_shape',
  params: ['x', 'shape'],
  required: 2,
  doc: 'x itself, after a check that it has exactly this shape.',
  run: (ctx, args) => {
    const x = tensorArg(ctx, args, 'x');
    const expected = sizesOf(ctx, [argument(ctx, args, 'shape')]);
    if (!sameShape(x.type.shape, expected))
      return ctx.fail(
        wrongShape(
          args.span,
          `shapes do not match: expected ${printShape(expected)}, found ${printType(x.type)}`,
          showDifference(firstDifference(x.type.shape, expected)),
        ),
      );
    return tensor(ctx, x);
  },
};

export const shapeBuiltins: readonly Builtin[] = [
  reshape,
  transpose,
  broadcast,
  concat,
  stack,
  split,
  unsqueeze,
  squeeze,
  filled('zeros', 0),
  filled('ones', 1),
  iota,
  len,
  shapeOf,
  rank,
  count,
  perAxis,
  asList,
  sameSizes,
  isFixed,
  fail,
  ofShape,
];
