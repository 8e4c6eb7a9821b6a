import type { UnaryOp } from '../../../ir/scalar.ts';
import { unaryTable } from '../../../ir/scalar.ts';
import type { DType } from '../../../ir/type.ts';
import * as B from '../../../ops/build.ts';
import { primitive } from '../../../ops/list.ts';
import type { BinaryOperator } from '../../../parser/ast.ts';
import { staticFailure, wrongArguments, wrongKind } from '../../../support/errors/shapes.ts';
import { binary, negate, operand } from '../arithmetic.ts';
import type { Context } from '../context.ts';
import { matmul } from '../matmul.ts';
import { tensor, toTensor } from '../tensors.ts';
import { describe, float, int, tensorOf } from '../values.ts';
import { argument, axesArg, boolArg, tensorArg } from './arguments.ts';
import type { Argument, Bound, Builtin } from './builtin.ts';

/** A function of one number, at compile time of static ones. */
function unary(name: UnaryOp): Builtin {
  return {
    name,
    params: ['x'],
    required: 1,
    doc: primitive(name)!.doc,
    run: (ctx, args) => {
      const { value, span } = argument(ctx, args, 'x');
      if (value.kind !== 'number')
        return tensor(ctx, ctx.b.emit(primitive(name)!, [toTensor(ctx, value, span)]));
      const result = unaryTable[name](value.value);
      if (!Number.isFinite(result))
        return ctx.fail(staticFailure(span, `${name}(${value.value}) is not a finite number`));
      const whole = ['floor', 'ceil', 'round', 'abs', 'sign'].includes(name);
      return whole && Number.isInteger(result) && !(name === 'abs' && value.isFloat)
        ? int(result)
        : float(result);
    },
  };
}

function operator(name: string, op: BinaryOperator): Builtin {
  return {
    name,
    params: ['a', 'b'],
    required: 2,
    doc: `\`a ${op} b\` as a function, for use in pipes.`,
    run: (ctx, args) =>
      binary(ctx, op, argument(ctx, args, 'a').value, argument(ctx, args, 'b').value, args.span),
  };
}

/** `sum(x, axis = 1, keep = true)`; of a list of sizes, at compile time. */
function reduction(name: string, op: string): Builtin {
  return {
    name,
    params: ['x', 'axis', 'keep'],
    required: 1,
    doc: primitive(op)!.doc,
    run: (ctx, args) => {
      const { value } = argument(ctx, args, 'x');
      if (value.kind !== 'list') return reduce(ctx, args, op);
      const sign = name === 'sum' ? '+' : '*';
      return value.items.reduce(
        (total, item) => binary(ctx, sign, total, item, args.span),
        int(name === 'sum' ? 0 : 1),
      );
    },
  };
}

function reduce(ctx: Context, args: Bound, op: string) {
  const attrs = { axes: axesArg(ctx, args, 'axis'), keep: boolArg(ctx, args, 'keep', false) };
  return tensor(ctx, ctx.b.emit(primitive(op)!, [tensorArg(ctx, args, 'x')], attrs));
}

/** `max(a, b)` is elementwise, `max(x)` and `max(x, axis = 1)` reduce. */
function extreme(name: 'max' | 'min'): Builtin {
  return {
    name,
    params: ['axis', 'keep', 'x'],
    rest: true,
    doc: `The ${name === 'max' ? 'larger' : 'smaller'} of two, elementwise; of one tensor, over its axes.`,
    run: (ctx, args) => {
      const [a, b] = args.rest;
      if (a && b && args.rest.length === 2 && !args.get('axis')) return elementwise(ctx, name, a, b);
      const x = args.get('x') ?? a;
      if (!x || args.rest.length > 1)
        return ctx.fail(
          wrongArguments(
            args.span,
            `\`${name}\` takes two tensors, or one and an axis: \`${name}(x, axis = 1)\``,
          ),
        );
      return reduce(ctx, { ...args, get: key => (key === 'x' ? x : args.get(key)) }, `reduce_${name}`);
    },
  };
}

function elementwise(ctx: Context, name: 'max' | 'min', a: Argument, b: Argument) {
  const [x, y] = [a.value, b.value];
  if (x.kind === 'number' && y.kind === 'number')
    return { kind: 'number' as const, value: Math[name](x.value, y.value), isFloat: x.isFloat || y.isFloat };
  const op = primitive(name === 'max' ? 'maximum' : 'minimum')!;
  const dtype = dtypeOf([a, b]);
  return tensor(ctx, B.binary(ctx.b, op, operand(ctx, x, dtype, a.span), operand(ctx, y, dtype, b.span)));
}

function dtypeOf(args: readonly Argument[]): DType {
  for (const { value } of args) {
    const found = tensorOf(value);
    if (found) return found.value.type.dtype;
  }
  return 'f32';
}

const where: Builtin = {
  name: 'where',
  params: ['condition', 'a', 'b'],
  required: 3,
  doc: 'a where the condition holds, b elsewhere, chosen at run time.',
  run: (ctx, args) => {
    const [c, a, b] = ['condition', 'a', 'b'].map(name => argument(ctx, args, name)) as [
      Argument,
      Argument,
      Argument,
    ];
    const dtype = dtypeOf([a, b]);
    const condition = toTensor(ctx, c.value, c.span, 'bool');
    const value = B.where(
      ctx.b,
      condition,
      operand(ctx, a.value, dtype, a.span),
      operand(ctx, b.value, dtype, b.span),
    );
    return tensor(ctx, value);
  },
};

const clamp: Builtin = {
  name: 'clamp',
  params: ['x', 'low', 'high'],
  required: 3,
  doc: 'x brought into low..high; at the bounds the gradient is 1, as in PyTorch.',
  run: (ctx, args) => {
    const x = tensorArg(ctx, args, 'x');
    const bound = (name: string) => {
      const { value, span } = argument(ctx, args, name);
      return operand(ctx, value, x.type.dtype, span);
    };
    // At a bound the gradient is that of x, where `max` would share it, and no number stays none.
    const [low, high] = [bound('low'), bound('high')];
    const raised = B.where(ctx.b, B.lt(ctx.b, x, low), low, x);
    return tensor(ctx, B.where(ctx.b, B.gt(ctx.b, raised, high), high, raised));
  },
};

const grad: Builtin = {
  name: 'grad',
  params: ['of', 'wrt'],
  required: 2,
  doc: 'The gradient of a scalar with respect to a tensor, or to a list of them.',
  run: (ctx, args) => {
    const of = tensorArg(ctx, args, 'of');
    const { value, span } = argument(ctx, args, 'wrt');
    const many = value.kind === 'list' ? value.items : [value];
    const wrt = many.map(v => {
      if (!tensorOf(v))
        return ctx.fail(wrongKind(span, `a gradient is taken with respect to tensors, not ${describe(v)}`));
      return toTensor(ctx, v, span);
    });
    const gradients = ctx.b.emitAll(primitive('gradient')!, [of, ...wrt]).map(v => tensor(ctx, v));
    return value.kind === 'list' ? { kind: 'list', items: gradients } : gradients[0]!;
  },
};

const product: Builtin = {
  name: 'matmul',
  params: ['a', 'b'],
  required: 2,
  doc: '`a @ b` as a function.',
  run: (ctx, args) => matmul(ctx, argument(ctx, args, 'a').value, argument(ctx, args, 'b').value, args.span),
};

const neg: Builtin = {
  name: 'neg',
  params: ['x'],
  required: 1,
  doc: '`-x` as a function.',
  run: (ctx, args) => negate(ctx, argument(ctx, args, 'x').value, args.span),
};

export const elementwiseBuiltins: readonly Builtin[] = [
  ...(
    [
      ...['abs', 'sign', 'floor', 'ceil', 'round', 'exp', 'log', 'sqrt'],
      ...['sin', 'cos', 'tanh', 'sigmoid', 'erf', 'atan', 'log1p', 'expm1'],
    ] as UnaryOp[]
  ).map(unary),
  neg,
  operator('add', '+'),
  operator('sub', '-'),
  operator('mul', '*'),
  operator('div', '/'),
  operator('mod', '%'),
  operator('pow', '^'),
  reduction('sum', 'reduce_sum'),
  reduction('prod', 'reduce_prod'),
  extreme('max'),
  extreme('min'),
  where,
  clamp,
  grad,
  product,
];
