import type { Value } from '../../ir/graph.ts';
import { firstDifference, printType, sameType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import type { Expr, Ident, Stage } from '../../parser/ast.ts';
import { wrongBody, wrongShape } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { applyInstance, callFunction } from './apply.ts';
import type { Argument } from './builtins/builtin.ts';
import { applyCallable, bindStatics, evaluateArgs, evaluateCallee } from './call.ts';
import type { Context } from './context.ts';
import { makeInstance, nameSite } from './instance.ts';
import { repeatStage } from './pipe.ts';
import { calleeName, definitionOf, localKey } from './place.ts';
import type { Scope } from './scope.ts';
import type { Variable } from './session.ts';
import { TotalPending } from './session.ts';
import { showDifference } from './sizes.ts';
import { tensor, toTensor } from './tensors.ts';
import { isTensorName } from './types.ts';
import type { Callable, Val } from './values.ts';

/** Rounds of sums over all parameters that one link may need. */
const MAX_TOTALS = 16;

interface Parameter {
  readonly variable: Variable;
  readonly gradient: Value;
}

/** One transform of the chain behind `by`: a block with state, or a function. */
interface Link {
  readonly f: Callable;
  readonly args: readonly Argument[];
  readonly name: string;
  readonly expr: Expr;
}

/** Runs `by a -> b -> c`: every link maps (gradient, weight) to the next gradient. Gives what to subtract from each weight. */
export function applyLinks(ctx: Context, scope: Scope, by: Expr, parameters: readonly Parameter[]): Value[] {
  const links = linksOf(ctx, scope, by);
  let current = parameters.map(p => p.gradient);
  for (const link of links)
    current = ctx.at({ span: link.expr.span, path: `${scope.name}.${link.name}` }, () =>
      applyLink(ctx, scope, link, parameters, current),
    );
  return current;
}

function linksOf(ctx: Context, scope: Scope, by: Expr): Link[] {
  const [first, stages] = by.kind === 'pipe' ? [by.value, by.stages] : [by, []];
  const link = makeLink(ctx, scope, first, nameOf(scope, first));
  return [link, ...stages.flatMap(stage => linksOfStage(ctx, scope, stage))];
}

/** Every turn of a `repeat` has links of its own. */
function linksOfStage(ctx: Context, scope: Scope, stage: Stage): Link[] {
  if (stage.kind === 'apply')
    return [makeLink(ctx, scope, stage.value, nameOf(scope, stage.value, stage.label))];
  return repeatStage(ctx, scope, stage, (key, only) =>
    key !== undefined && only
      ? [makeLink(ctx, scope, only.value, key)]
      : stage.stages.flatMap(inner => linksOfStage(ctx, scope, inner)),
  ).flat();
}

const nameOf = (scope: Scope, expr: Expr, label?: Ident): string =>
  localKey(scope, nameSite(scope.instance!, expr, label?.name ?? calleeName(expr), scope.group));

function makeLink(ctx: Context, scope: Scope, expr: Expr, name: string): Link {
  return ctx.at({ span: expr.span, path: `${scope.name}.${name}` }, () => {
    const isCall = expr.kind === 'call';
    const callee = evaluateCallee(ctx, scope, isCall ? expr.callee : expr);
    const args = isCall ? evaluateArgs(ctx, scope, expr.args) : [];
    if (callee.kind !== 'block' || callee.statics) return { f: callee, args, name, expr };
    return { f: bindStatics(ctx, callee, args, expr.span), args: [], name, expr };
  });
}

/**
 * One link for all parameters. Where it asks for `total(e)`, e is collected from every parameter first, and the link
 * elaborated again with the sum; equal nodes are one node, so nothing is computed twice.
 */
function applyLink(
  ctx: Context,
  scope: Scope,
  link: Link,
  parameters: readonly Parameter[],
  gradients: readonly Value[],
): Value[] {
  const { session } = ctx;
  const sites = session.sites;
  const updates = new Map(session.updates);
  const known: Val[] = [];
  for (let round = 0; round <= MAX_TOTALS; round++) {
    session.sites = sites;
    session.updates.clear();
    for (const [path, value] of updates) session.updates.set(path, value);
    const parts: Value[] = [];
    const results: Value[] = [];
    parameters.forEach(({ variable }, i) => {
      session.totals = { known, next: 0 };
      try {
        results.push(transform(ctx, scope, link, variable, gradients[i]!));
      } catch (error) {
        if (!(error instanceof TotalPending)) throw error;
        parts.push(toTensor(ctx, error.part, link.expr.span));
      } finally {
        delete session.totals;
      }
    });
    if (parts.length === 0) return results;
    if (parts.length !== parameters.length)
      ctx.fail(wrongBody(link.expr.span, '`total` must be reached for every parameter or for none'));
    known.push(
      tensor(
        ctx,
        parts.reduce((sum, part) => B.add(ctx.b, sum, part)),
      ),
    );
  }
  ctx.fail(wrongBody(link.expr.span, `a link takes at most ${MAX_TOTALS} totals`));
}

function transform(ctx: Context, scope: Scope, link: Link, variable: Variable, gradient: Value): Value {
  const { span } = link.expr;
  const g: Argument = { value: tensor(ctx, gradient), span };
  const w: Argument = { value: tensor(ctx, variable.value), span };
  const result = toTensor(ctx, call(ctx, scope, link, variable, g, w, span), span);
  if (sameType(result.type, variable.type)) return result;
  ctx.fail(
    wrongShape(
      span,
      `\`${link.name}\` returns ${printType(result.type)} for ${variable.path}, which is ${printType(variable.type)}`,
      showDifference(firstDifference(result.type.shape, variable.type.shape)),
    ),
  );
}

function call(
  ctx: Context,
  scope: Scope,
  { f, args, name, expr }: Link,
  variable: Variable,
  g: Argument,
  w: Argument,
  span: Span,
): Val {
  switch (f.kind) {
    case 'block': {
      const instance = makeInstance(definitionOf(f), `${scope.name}.${name}`, f.statics ?? new Map(), {
        parameter: variable.path,
      });
      return applyInstance(ctx, instance, [g, w].slice(0, f.decl.params.length), span);
    }
    case 'fn': {
      const tensors = f.decl.params.filter(p => !p.value && isTensorName(p.type.name.name)).length;
      return callFunction(ctx, f.decl, f.module, [g, ...(tensors > 1 ? [w] : []), ...args], span);
    }
    default:
      return applyCallable(ctx, scope, f, [g, ...args], span, expr);
  }
}
