import * as D from '../../ir/dim.ts';
import type { Expr, Stage } from '../../parser/ast.ts';
import { staticFailure, wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { applyInstance } from './apply.ts';
import type { Argument } from './builtins/builtin.ts';
import { applyCallable, bindStatics, evaluateArgs, evaluateCallee } from './call.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { calleeName, childPath, localKey, placeAt, siteKey } from './place.ts';
import type { Scope } from './scope.ts';
import type { Callable, Val } from './values.ts';
import { asDim, describe, int, isCallable } from './values.ts';

type ApplyStage = Extract<Stage, { kind: 'apply' }>;
type RepeatStage = Extract<Stage, { kind: 'repeat' }>;

/** Longest loop that is unrolled. */
const MAX_TURNS = 4096;

export function evaluatePipe(ctx: Context, scope: Scope, expr: Extract<Expr, { kind: 'pipe' }>): Val {
  const first = evaluate(ctx, scope, expr.value);
  return runStages(ctx, scope, first, expr.value.span, expr.stages);
}

function runStages(ctx: Context, scope: Scope, first: Val, from: Span, stages: readonly Stage[]): Val {
  let flow = first;
  let span = from;
  for (const stage of stages) {
    flow = runStage(ctx, scope, stage, { value: flow, span });
    span = stage.span;
  }
  return flow;
}

function runStage(ctx: Context, scope: Scope, stage: Stage, flow: Argument): Val {
  if (stage.kind === 'repeat') return runRepeat(ctx, scope, stage, flow);
  const key = siteKey(ctx, scope, stage, calleeName(stage.value), stage.label);
  return applyStage(ctx, scope, stage, flow, key);
}

/** `x -> f(a)`: a function gets x as its first argument; a block makes a layer at this place, which gets x. */
function applyStage(ctx: Context, scope: Scope, stage: ApplyStage, flow: Argument, key: string): Val {
  const { value: expr } = stage;
  const site = { span: expr.span, path: childPath(ctx, scope, key) };
  const result = ctx.within(scope.module, site, (): Val => {
    if (expr.kind !== 'call') return pipeInto(ctx, scope, stageCallee(ctx, scope, expr), flow, [], key, expr);
    const callee = evaluateCallee(ctx, scope, expr.callee);
    const args = evaluateArgs(ctx, scope, expr.args);
    return pipeInto(ctx, scope, callee, flow, args, key, expr);
  });
  scope.stages.set(key, result);
  return result;
}

function stageCallee(ctx: Context, scope: Scope, expr: Expr): Callable {
  if (expr.kind === 'name') return evaluateCallee(ctx, scope, expr);
  const value = evaluate(ctx, scope, expr);
  if (isCallable(value)) return value;
  ctx.fail(wrongKind(expr.span, `${describe(value)} cannot be applied`));
}

function pipeInto(
  ctx: Context,
  scope: Scope,
  callee: Callable,
  flow: Argument,
  args: readonly Argument[],
  key: string,
  expr: Expr,
): Val {
  if (callee.kind !== 'block') return applyCallable(ctx, scope, callee, [flow, ...args], expr.span, expr);
  // `x -> f` where f has its static arguments already, or has them here.
  const bound = callee.statics ? callee : bindStatics(ctx, callee, args, expr.span);
  const tensors = callee.statics ? [flow, ...args] : [flow];
  return applyInstance(ctx, placeAt(scope, bound, key), tensors, expr.span);
}

/** `repeat i in 0..n { … }` in a pipe: every turn has layers of its own. */
function runRepeat(ctx: Context, scope: Scope, stage: RepeatStage, flow: Argument): Val {
  let { value, span } = flow;
  repeatStage(ctx, scope, stage, (key, only) => {
    value =
      key !== undefined && only
        ? applyStage(ctx, scope, only, { value, span }, key)
        : runStages(ctx, scope, value, span, stage.stages);
    if (key !== undefined) scope.stages.set(key, value);
    span = stage.span;
  });
  return value;
}

/**
 * Runs every turn of a `repeat` among stages, each at a place of its own. Turns of a labelled one have keys. Such a turn
 * of one unlabelled stage is that stage (`rest[2].conv.weight`): `run` is given it too.
 */
export function repeatStage<T>(
  ctx: Context,
  scope: Scope,
  stage: RepeatStage,
  run: (key?: string, only?: ApplyStage) => T,
): T[] {
  const turns = turnsOf(ctx, scope, stage.over);
  const [first] = stage.stages;
  const { label } = stage;
  const only = stage.stages.length === 1 && first?.kind === 'apply' && !first.label ? first : undefined;
  // The label is claimed once, whatever the number of turns.
  const base = label && siteKey(ctx, { ...scope, indices: [], prefix: '' }, stage, label.name, label);
  return withVariable(scope, stage.variable?.name, bind =>
    turns.map((turn, i) => {
      bind(turn);
      return inTurn(scope, i, () => {
        if (base === undefined) return run();
        const key = localKey(scope, base);
        return only ? run(key, only) : inGroup(scope, key, base, () => run(key));
      });
    }),
  );
}

/** Values that a `repeat` runs through. */
export function turnsOf(ctx: Context, scope: Scope, over: Expr): readonly Val[] {
  const value = evaluate(ctx, scope, over);
  const dim = asDim(value);
  const n = value.kind === 'list' ? value.items.length : dim && D.constantValue(dim);
  if (n === undefined)
    ctx.fail(
      wrongKind(over.span, `\`repeat\` takes a number of turns, a range or a list, not ${describe(value)}`, {
        hint: dim ? 'a loop over a free size is a `scan`' : undefined,
      }),
    );
  if (n < 0) ctx.fail(staticFailure(over.span, `\`repeat\` cannot run ${n} times`));
  if (n > MAX_TURNS)
    ctx.fail(staticFailure(over.span, `\`repeat\` unrolls at most ${MAX_TURNS} turns, not ${n}`));
  ctx.unroll(over.span, n);
  return value.kind === 'list' ? value.items : Array.from({ length: n }, (_, i) => int(i));
}

/** Runs with a loop variable, which is gone afterwards. */
export function withVariable<T>(
  scope: Scope,
  name: string | undefined,
  run: (bind: (turn: Val) => void) => T,
): T {
  const before = name === undefined ? undefined : scope.values.get(name);
  try {
    return run(turn => {
      if (name !== undefined) scope.values.set(name, turn);
    });
  } finally {
    if (name !== undefined) {
      if (before) scope.values.set(name, before);
      else scope.values.delete(name);
    }
  }
}

export function inTurn<T>(scope: Scope, i: number, run: () => T): T {
  const before = scope.indices;
  scope.indices = [...before, i];
  try {
    return run();
  } finally {
    scope.indices = before;
  }
}

function inGroup<T>(scope: Scope, key: string, label: string, run: () => T): T {
  const { prefix, group, indices } = scope;
  scope.prefix = `${key}.`;
  scope.group = `${group}${label}.`;
  scope.indices = [];
  try {
    return run();
  } finally {
    scope.prefix = prefix;
    scope.group = group;
    scope.indices = indices;
  }
}
