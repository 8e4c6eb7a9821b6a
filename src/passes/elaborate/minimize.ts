import type { Value } from '../../ir/graph.ts';
import { printType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { gradient } from '../../ops/gradient.ts';
import type { Expr, Statement, Target } from '../../parser/ast.ts';
import { duplicateName } from '../../support/errors/names.ts';
import { claimedTwice, noParameters, wrongKind } from '../../support/errors/shapes.ts';
import { closest } from '../../support/suggest.ts';
import type { Context } from './context.ts';
import { evaluate, staticInt } from './evaluate.ts';
import { variablePath } from './instance.ts';
import { lookup } from './lookup.ts';
import { applyLinks } from './optimise.ts';
import { localKey } from './place.ts';
import type { Scope } from './scope.ts';
import type { Session, Variable } from './session.ts';
import { tensor, toTensor } from './tensors.ts';
import { textOf } from './types.ts';

type Minimize = Extract<Statement, { kind: 'minimize' }>;
type Metric = Extract<Statement, { kind: 'metric' }>;

export function addMetric(ctx: Context, scope: Scope, s: Metric): void {
  const name = ctx.session.metricPrefix + s.name.name;
  if (ctx.session.metrics.has(name)) ctx.fail(duplicateName(s.name.span, 'metric', name));
  const value = scalar(ctx, scope, s.value, `metric \`${name}\``);
  ctx.session.metrics.set(name, value);
  scope.values.set(s.name.name, tensor(ctx, value));
}

function scalar(ctx: Context, scope: Scope, expr: Expr, what: string): Value {
  const value = toTensor(ctx, evaluate(ctx, scope, expr), expr.span);
  if (value.type.shape.length > 0 || value.type.dtype !== 'f32')
    ctx.fail(
      wrongKind(expr.span, `${what} must be one f32, not ${printType(value.type)}`, {
        hint:
          value.type.shape.length > 0
            ? 'reduce it with `mean(…)` or `sum(…)`'
            : 'convert it with `cast(…, f32)`',
      }),
    );
  return value;
}

/**
 * `minimize loss over A by sgd(…), B by adam(…)`: one gradient node for all parameters, then each one's links, and
 * what the last link returns is subtracted from the weight.
 */
export function minimize(ctx: Context, scope: Scope, s: Minimize): void {
  const { session } = ctx;
  const loss = ctx.at({ path: `${scope.name}.loss` }, () => scalar(ctx, scope, s.value, 'what is minimised'));
  session.losses.set(lossName(session), loss);
  if (session.purpose !== 'step') return;
  const targets = s.targets.map(target => ({ target, owned: parametersOf(ctx, scope, target) }));
  const all = targets.flatMap(t => t.owned);
  for (const { target, owned } of targets)
    for (const v of owned)
      if (all.indexOf(v) !== all.lastIndexOf(v) || session.weights.has(v.path))
        ctx.fail(claimedTwice(target.span, v.path));
  if (all.length === 0) return;
  const gradients = ctx.at({ path: `${scope.name}.gradient` }, () =>
    ctx.b.emitAll(gradient, [loss, ...all.map(v => v.value)]),
  );
  for (const { target, owned } of targets)
    ctx.attempt(() =>
      ctx.at({ span: target.by.span }, () => {
        const steps = applyLinks(
          ctx,
          scope,
          target.by,
          owned.map(v => ({ variable: v, gradient: gradients[all.indexOf(v)]! })),
        );
        owned.forEach((v, i) => {
          session.weights.set(v.path, B.sub(ctx.b, v.value, steps[i]!));
        });
      }),
    );
}

/** `loss`, `loss_2` for a second `minimize`; `d.loss` inside `step d`. */
function lossName({ losses, metricPrefix }: Session): string {
  const first = `${metricPrefix}loss`;
  let name = first;
  for (let n = 2; losses.has(name); n++) name = `${first}_${n}`;
  return name;
}

/** The parameters that a target owns, all below the paths that it names. */
function parametersOf(ctx: Context, scope: Scope, target: Target): Variable[] {
  return target.what.flatMap(expr => {
    const path = targetPath(ctx, scope, expr);
    const all = [...ctx.session.variables.values()].filter(v => v.owner === 'net');
    ctx.session.owned.push(path);
    const below = all.filter(v => v.role === 'param' && isBelow(v.path, path));
    if (below.length > 0) return below;
    const meant = closest(
      path,
      all.flatMap(v => prefixes(v.path)),
    );
    return ctx.fail(noParameters(expr.span, `\`${textOf(expr)}\``, meant && `did you mean \`${meant}\`?`));
  });
}

export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}.`) || path.startsWith(`${root}[`);
}

function prefixes(path: string): string[] {
  const parts = path.split('.');
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
}

function targetPath(ctx: Context, scope: Scope, expr: Expr): string {
  switch (expr.kind) {
    case 'name': {
      const own = variablePath(scope.instance!, localKey(scope, expr.name));
      if (ctx.session.variables.has(own)) return own;
      const value = lookup(ctx, scope, expr.name, expr.span);
      if (value.kind === 'instance') return value.instance.path;
      if (value.kind === 'record' && value.instance) return value.instance.path;
      break;
    }
    case 'field':
      return `${targetPath(ctx, scope, expr.value)}.${expr.name.name}`;
    case 'index': {
      const [item] = expr.index;
      if (expr.index.length === 1 && item?.kind === 'at')
        return `${targetPath(ctx, scope, expr.value)}[${staticInt(ctx, scope, item.value, 'an index')}]`;
      break;
    }
    default:
      break;
  }
  ctx.fail(
    noParameters(
      expr.span,
      `\`${textOf(expr)}\``,
      '`over` takes nets, their parts (`Net.head`) and params of the program',
    ),
  );
}
