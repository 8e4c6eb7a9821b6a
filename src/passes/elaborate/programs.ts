import { GraphBuilder } from '../../ir/builder.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Train } from '../../ir/module.ts';
import type { Statement, TrainDecl } from '../../parser/ast.ts';
import { duplicateName } from '../../support/errors/names.ts';
import { wrongBody } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import { initialGraph } from './initialise.ts';
import type { Instance } from './instance.ts';
import { makeInstance } from './instance.ts';
import { isBelow } from './minimize.ts';
import { makeScope } from './scope.ts';
import type { Session } from './session.ts';
import { makeSession } from './session.ts';
import { runBody } from './statements.ts';
import { warnOfState, warnOfUnreached } from './warnings.ts';

/**
 * A training program: the step of one batch, its metrics in inference mode, and the first values of all it keeps. Where
 * its `param`s have free sizes that are given from outside, it is made again with these.
 */
export function elaborateTrain(ctx: Context, decl: TrainDecl): Train {
  const open = elaborateWith(ctx, decl, new Map());
  const given = open.sizes.flatMap(name => {
    const n = ctx.sizes[`${decl.name.name}.${name}`] ?? ctx.sizes[name];
    return n === undefined ? [] : [[name, D.constant(n)] as const];
  });
  if (given.length === 0 || ctx.failed) return open;
  ctx.begin();
  return { ...elaborateWith(ctx, decl, new Map(given)), sizes: open.sizes };
}

type Dims = ReadonlyMap<string, Dim>;

function elaborateWith(ctx: Context, decl: TrainDecl, sizes: Dims): Train {
  const name = decl.name.name;
  const { span } = decl.name;
  const nothing = { kind: 'type' as const, type: { name: decl.name, span }, span };
  const definition = {
    name,
    statics: [],
    params: [],
    result: nothing,
    body: decl.body,
    module: ctx.root,
    span,
  };
  const instance = makeInstance(definition, name, new Map());
  const own = stepsOf(ctx, decl);
  const sessions = own.map((s, i) => {
    // Steps draw random numbers at sites of their own.
    const which = { step: s.step, firstSite: i * sitesPerStep };
    const session = run(ctx, decl, instance, 'step', sizes, which);
    if (session.losses.size === 0 && !ctx.failed)
      ctx.fail(
        wrongBody(
          s.span,
          `\`${s.name}\` has no \`minimize\``,
          'add `minimize loss over Net by sgd(lr = 0.1)`',
        ),
      );
    emitMetrics(session, i === own.length - 1);
    emitUpdates(session);
    return session;
  });
  const graphs = sessions.map(s => s.b.build());
  if (!ctx.failed) {
    warnOfState(ctx, sessions);
    for (const graph of graphs) warnOfUnreached(ctx, graph);
  }
  const evaluation = run(ctx, decl, instance, 'evaluate', sizes);
  emitMetrics(evaluation, true);
  return {
    name,
    span,
    steps: own.map((s, i) => ({ name: s.key, every: s.every, graph: graphs[i]! })),
    evaluate: evaluation.b.build(),
    init: initialGraph(ctx, `${name}.init`, sessions),
    sizes: freeSizes(sessions),
    nets: [...new Set(sessions.flatMap(s => [...s.nets]))],
  };
}

const sitesPerStep = 2 ** 20;

/** Names of the free sizes in the shapes of what sessions keep. */
function freeSizes(sessions: readonly Session[]): string[] {
  const shapes = sessions.flatMap(s => [...s.variables.values()].map(v => v.type.shape));
  return [...shapes.flat().reduce((all, dim) => D.symbols(dim, all), new Set<string>())];
}

interface OwnStep {
  /** For messages. */
  readonly name: string;
  /** `step`, or `step:d`. */
  readonly key: string;
  readonly every: number;
  readonly span: Span;
  readonly step?: Statement;
}

/** The `step`s of a program in order; `minimize` without any is one for each batch. */
function stepsOf(ctx: Context, decl: TrainDecl): OwnStep[] {
  const { name } = decl;
  const steps = decl.body.statements.filter(s => s.kind === 'step');
  if (steps.length === 0) return [{ name: name.name, key: 'step', every: 1, span: name.span }];
  const outside = decl.body.statements.find(s => s.kind === 'minimize');
  if (outside)
    ctx.report(
      wrongBody(outside.span, '`minimize` stands beside `step`s', 'put it into a `step` of its own'),
    );
  steps.forEach((s, i) => {
    if (steps.findIndex(other => other.name.name === s.name.name) < i)
      ctx.report(duplicateName(s.name.span, 'step', s.name.name));
    if (s.every !== undefined && !(Number.isInteger(s.every) && s.every >= 1))
      ctx.report(wrongBody(s.span, `a step runs every 1, 2, 3 … batches, not every ${s.every}`));
  });
  return steps.map(step => ({
    name: step.name.name,
    key: `step:${step.name.name}`,
    every: step.every ?? 1,
    span: step.name.span,
    step,
  }));
}

function run(
  ctx: Context,
  decl: TrainDecl,
  instance: Instance,
  purpose: 'step' | 'evaluate',
  sizes: Dims,
  which: Parameters<typeof makeSession>[2] = {},
): Session {
  const name = decl.name.name;
  const session = makeSession(new GraphBuilder(`${name}.${purpose}`), purpose, which);
  const scope = makeScope('train', name, ctx.root, instance);
  for (const [size, dim] of sizes) scope.dims.set(size, dim);
  ctx.inSession(session, () =>
    ctx.at({ span: decl.name.span, path: name }, () =>
      ctx.withTraining(purpose === 'step', () => runBody(ctx, scope, decl.body)),
    ),
  );
  return session;
}

/** Losses first, each under its name unless a metric has it. Metrics outside of steps belong to the last one. */
function emitMetrics({ b, losses, metrics, step }: Session, last: boolean): void {
  for (const [name, value] of losses) if (!metrics.has(name)) b.output({ name, role: 'metric', value });
  for (const [name, value] of metrics)
    if (last || !step || name.includes('.')) b.output({ name, role: 'metric', value });
}

/** Only what follows `over` moves: its weights, the states below it, and the optimiser's own. */
function emitUpdates({ b, weights, updates, owned, variables }: Session): void {
  for (const [path, value] of weights) b.output({ name: path, role: 'update', value, target: path });
  for (const [path, value] of updates) {
    const moves = variables.get(path)?.owner === 'optimiser' || owned.some(root => isBelow(path, root));
    if (moves) b.output({ name: path, role: 'update', value, target: path });
  }
}
