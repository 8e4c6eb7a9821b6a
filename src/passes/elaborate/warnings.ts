import type { Graph, Value } from '../../ir/graph.ts';
import { isFloat } from '../../ir/type.ts';
import { gradient } from '../../ops/gradient.ts';
import { sigmoid } from '../../ops/sigmoid.ts';
import { stop } from '../../ops/stop.ts';
import type { FnDecl } from '../../parser/ast.ts';
import { probabilitiesAsLogits, stateNotOwned } from '../../support/errors/warnings.ts';
import type { Span } from '../../support/source.ts';
import { differentiateGraph, unreachedWarnings } from '../differentiate.ts';
import type { Argument } from './builtins/builtin.ts';
import type { Context } from './context.ts';
import { isBelow } from './minimize.ts';
import type { ModuleScope, Scope } from './scope.ts';
import type { Session } from './session.ts';
import { unusedValues } from './unused.ts';
import type { Val } from './values.ts';
import { tensorOf } from './values.ts';

/** Warns of values that nothing reads in the declarations of a file. */
export function warnOfUnused(ctx: Context, module: ModuleScope): void {
  for (const decl of module.declarations.values()) {
    if (decl.kind === 'fn' || decl.kind === 'train')
      ctx.report(...unusedValues(decl.body, { reachable: false }));
    else if (decl.kind === 'block') ctx.report(...unusedValues(decl.body, { reachable: true }));
    else if (decl.kind === 'net' && decl.definition.kind === 'body')
      ctx.report(...unusedValues(decl.definition.body, { reachable: true }));
  }
}

/**
 * Warns of nets that run in training mode in a program whose `over` owns their state in none of its steps: batch
 * normalisation then uses the batch, and its running averages, which inference uses, stay as they are.
 */
export function warnOfState(ctx: Context, steps: readonly Session[]): void {
  const isOwned = (path: string) => steps.some(s => s.owned.some(root => isBelow(path, root)));
  for (const { trained, updates, variables } of steps)
    for (const [net, span] of trained) {
      const own = [...updates.keys()].filter(path => isBelow(path, net) && !isOwned(path));
      const [first] = own;
      if (first !== undefined) ctx.report(stateNotOwned(span, net, own, variables.get(first)!.span));
    }
}

/**
 * Warns of parameters that no gradient reaches. Differentiating takes as long as elaborating, so it is done here only
 * where the graph looks as if there were one: the differentiate pass finds the others.
 */
export function warnOfUnreached(ctx: Context, graph: Graph): void {
  const suspect = graph.nodes.some(
    node => node.kind === 'op' && node.op === gradient && !reachesAll(node.inputs[0]!, node.inputs.slice(1)),
  );
  if (suspect) ctx.report(...unreachedWarnings(differentiateGraph(graph).unreached));
}

/** Whether ops that have a gradient lead back from a value to all of the others. */
function reachesAll(of: Value, wrt: readonly Value[]): boolean {
  const seen = new Set([of]);
  for (const value of seen) {
    const { node } = value;
    if (node.kind !== 'op' || !node.op.vjp || node.op === stop || !isFloat(value.type.dtype)) continue;
    for (const input of node.inputs) seen.add(input);
  }
  return wrt.every(value => seen.has(value));
}

/** Losses of the standard library that turn their argument into probabilities, and the function that they do it by. */
const losses = new Map([
  ['cross_entropy', { argument: 'logits', by: 'softmax' }],
  ['bce_logits', { argument: 'x', by: 'sigmoid' }],
]);

/** What `softmax` returned, and where it was called. */
const softmaxes = new WeakMap<Value, Span>();

/** Is told of every call of a function of the standard library; warns where probabilities are taken for logits. */
export function watchStandard(
  ctx: Context,
  decl: FnDecl,
  scope: Scope,
  given: ReadonlyMap<string, Argument>,
  result: Val,
): void {
  const name = decl.name.name;
  const made = tensorOf(result)?.value;
  if (name === 'softmax' && made) softmaxes.set(made, ctx.site.span);
  const loss = losses.get(name);
  const value = loss && tensorOf(scope.values.get(loss.argument)!)?.value;
  if (!value) return;
  const arg = given.get(loss.argument)!.span;
  const span = ctx.std.files.some(f => f.source === arg.source) ? ctx.site.span : arg;
  if (loss.by === 'softmax' && softmaxes.has(value))
    ctx.report(probabilitiesAsLogits(span, name, loss.by, softmaxes.get(value)));
  const isSigmoid = value.node.kind === 'op' && value.node.op === sigmoid;
  if (loss.by === 'sigmoid' && isSigmoid)
    ctx.report(probabilitiesAsLogits(span, name, loss.by, value.node.origin.span));
}
