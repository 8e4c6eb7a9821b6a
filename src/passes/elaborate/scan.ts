import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { LoopBuilder } from '../../ir/loop-builder.ts';
import { printType, sameType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { primitive } from '../../ops/list.ts';
import type { Expr, Ident } from '../../parser/ast.ts';
import { duplicateName, misplaced } from '../../support/errors/names.ts';
import { staticFailure, wrongKind, wrongShape } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { axisArg, boolArg } from './builtins/arguments.ts';
import type { Argument, Builtin } from './builtins/builtin.ts';
import { randomKey } from './builtins/random.ts';
import { callBuiltin, evaluateArgs } from './call.ts';
import type { Context } from './context.ts';
import { Poisoned } from './context.ts';
import { evaluate } from './evaluate.ts';
import { unpoisoned } from './lookup.ts';
import type { Scope } from './scope.ts';
import { runBody } from './statements.ts';
import { tensor, toTensor } from './tensors.ts';
import type { Val } from './values.ts';
import { bool } from './values.ts';

type ScanExpr = Extract<Expr, { kind: 'scan' }>;

interface Options {
  readonly axis: number;
  readonly reverse: boolean;
  readonly lengths: Argument | undefined;
}

/** The length that no sequence exceeds: the same as none. */
const longest = 2 ** 31 - 1;

interface Carried {
  readonly name: Ident;
  readonly before: Value;
}

/** `scan(axis = 1) xt in x carry h = zeros(N, H) { … yield h }`: a loop at run time over the slices of a tensor. */
export function evaluateScan(ctx: Context, scope: Scope, expr: ScanExpr): Val {
  const over = toTensor(ctx, evaluate(ctx, scope, expr.over), expr.over.span);
  const rank = over.type.shape.length;
  if (rank === 0)
    ctx.fail(wrongKind(expr.over.span, 'a scalar has no elements to scan', { label: printType(over.type) }));
  const { axis, reverse, lengths } = optionsOf(ctx, scope, expr, rank);
  const initial = expr.carry.map(({ name, value }) => ({
    name,
    value: toTensor(ctx, evaluate(ctx, scope, value), value.span),
  }));
  checkNames([expr.variable, ...initial.map(c => c.name)], ctx);

  const { b } = ctx;
  const steps = over.type.shape[axis]!;
  const counts = lengths && lengthsOf(ctx, lengths);
  const isWhole = counts === undefined || B.constantOf(counts) === longest;
  const stack = B.transpose(b, over, [axis, ...otherAxes(rank, axis)]);
  const loop = new LoopBuilder(b);
  const inner: Scope = {
    ...scope,
    values: new Map(scope.values),
    stages: new Map(scope.stages),
    turn: { yielded: undefined },
  };
  inner.values.set(expr.variable.name, tensor(ctx, loop.slice(expr.variable.name, stack)));
  const carried = initial.map(({ name, value }): Carried => ({ name, before: loop.carry(name.name, value) }));
  for (const { name, before } of carried) inner.values.set(name.name, tensor(ctx, before));

  return ctx.within(scope.module, { span: expr.span }, () => {
    runTurn(ctx, loop, inner, expr, steps);
    let active: Value | undefined;
    /** Where a sequence is over, what a turn makes does not count. */
    const masked = (value: Value, otherwise: Value | number, span: Span): Value => {
      if (isWhole) return value;
      active ??= B.lt(b, loop.slice('turn', B.iota(b, [steps], 0)), counts);
      return B.where(b, alongBatch(ctx, active, value, span), value, otherwise);
    };
    const updates = carried.map(c => {
      const value = nextValue(ctx, inner, c, lastAssigned(expr, c.name.name));
      return [c.name.name, masked(value, c.before, c.name.span)] as const;
    });
    const yields = (inner.turn!.yielded ?? []).map(({ value, span }, i) => {
      const name = i === 0 ? 'out' : `out_${i + 1}`;
      const clash = carried.find(c => c.name.name === name);
      if (clash)
        ctx.fail({
          ...duplicateName(clash.name.span, 'result', name),
          hint: `what a turn yields is called \`${name}\`: give the carry another name`,
        });
      return { name, value: masked(toTensor(ctx, value, span), 0, span) };
    });
    const outputs = loop.finish(ctx.site.path ?? 'scan', { steps, reverse }, new Map(updates), yields);
    const stacks = outputs.slice(carried.length);
    const results = [
      ...yields.map(({ name }, i) => ({ name, value: tensor(ctx, unstack(ctx, stacks[i]!, axis)) })),
      ...carried.map(({ name }, i) => ({ name: name.name, value: tensor(ctx, outputs[i]!) })),
    ];
    return { kind: 'record', outputs: results, fields: new Map() };
  });
}

/** `axis = 0`, `reverse = false` and the `lengths` of the sequences of a batch. */
function optionsOf(ctx: Context, scope: Scope, expr: ScanExpr, rank: number): Options {
  let options: Options | undefined;
  const scan: Builtin = {
    name: 'scan',
    params: ['axis', 'reverse', 'lengths'],
    doc: 'Options of a `scan`.',
    run: (_, args) => {
      options = {
        axis: axisArg(ctx, args, 'axis', rank, 0),
        reverse: boolArg(ctx, args, 'reverse', false),
        lengths: args.get('lengths'),
      };
      return bool(true);
    },
  };
  callBuiltin(ctx, scan, evaluateArgs(ctx, scope, expr.args), expr.span);
  return options!;
}

function checkNames(names: readonly Ident[], ctx: Context): void {
  names.forEach(({ name, span }, i) => {
    const first = names.findIndex(n => n.name === name);
    if (first < i) ctx.fail(duplicateName(span, 'value of the loop', name, names[first]!.span));
  });
}

function lengthsOf(ctx: Context, argument: Argument): Value {
  const value = toTensor(ctx, argument.value, argument.span, 'i32');
  if (value.type.dtype === 'i32' && value.type.shape.length <= 1) return value;
  return ctx.fail(
    wrongShape(
      argument.span,
      `\`lengths\` is one i32, or one for each sequence, not ${printType(value.type)}`,
    ),
  );
}

/** Elaborates the body with a random key of its own for every turn. */
function runTurn(ctx: Context, loop: LoopBuilder, inner: Scope, expr: ScanExpr, steps: D.Dim): void {
  const { session } = ctx;
  const around = session.key;
  const updates = new Map(session.updates);
  let own: Value | undefined;
  const outerKey = () => {
    session.key = around;
    try {
      return randomKey(ctx);
    } finally {
      session.key = key;
    }
  };
  const key = (): Value => {
    const shape = [steps, D.constant(2)];
    own ??= loop.slice(
      'key',
      ctx.b.emit(primitive('random_bits')!, [outerKey()], { shape, site: session.nextSite() }),
    );
    return own;
  };
  session.key = key;
  let sound = false;
  try {
    sound = runBody(ctx, inner, expr.body);
  } finally {
    session.key = around;
    if (!sound) loop.abandon();
  }
  if (!sound) throw new Poisoned();
  for (const [path, value] of session.updates)
    if (updates.get(path) !== value)
      ctx.fail(
        misplaced(
          expr.span,
          `the state \`${path}\` is updated in the body of a \`scan\``,
          'carry it through the loop, or apply its layer with `infer`',
        ),
      );
}

/** Where the body gives a name its last value. */
function lastAssigned({ body }: ScanExpr, name: string): Span {
  for (const s of body.statements.toReversed())
    if (s.kind === 'assign' && s.names.some(n => n.name === name)) return s.value.span;
  return body.span;
}

/** What a carry is after the turn. */
function nextValue(ctx: Context, inner: Scope, { name, before }: Carried, span: Span): Value {
  const value = toTensor(ctx, unpoisoned(inner.values.get(name.name)!), span, before.type.dtype);
  if (sameType(value.type, before.type)) return value;
  const [first, then] = [printType(before.type), printType(value.type)];
  return ctx.fail(
    wrongShape(name.span, `\`${name.name}\` is ${first} before a turn and ${then} after it`, {
      label: first,
      hint: 'a carry keeps its shape and type from turn to turn',
      notes: [{ message: `the body leaves ${then}`, span }],
    }),
  );
}

/** A flag for each sequence, over all that belongs to it: the leading axis of what a turn makes. */
function alongBatch(ctx: Context, active: Value, value: Value, span: Span): Value {
  const [batch] = active.type.shape;
  if (!batch) return active;
  const { shape } = value.type;
  if (shape.length === 0 || !D.equal(shape[0]!, batch))
    ctx.fail(
      wrongShape(
        span,
        `with \`lengths\` of ${D.print(batch)} sequences this must have them as its first axis`,
        {
          label: printType(value.type),
        },
      ),
    );
  return B.reshape(ctx.b, active, [batch, ...shape.slice(1).map(() => 1)]);
}

/** Brings the axis of the turns, which comes first, to where the scanned tensor has it. */
function unstack(ctx: Context, stack: Value, axis: number): Value {
  const rank = stack.type.shape.length;
  if (axis >= rank)
    ctx.fail(
      staticFailure(
        ctx.site.span,
        `what a turn yields has ${rank - 1} axes: the turns cannot be axis ${axis} of the result`,
        'yield a value with a batch axis, or scan axis 0 of a transposed tensor',
      ),
    );
  const order = otherAxes(rank, 0);
  order.splice(axis, 0, 0);
  return B.transpose(ctx.b, stack, order);
}

const otherAxes = (rank: number, axis: number): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter(i => i !== axis);
