import { GraphBuilder } from '../../ir/builder.ts';
import type { Train } from '../../ir/module.ts';
import type { TrainDecl } from '../../parser/ast.ts';
import { wrongBody } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import { initialGraph } from './initialise.ts';
import type { Instance } from './instance.ts';
import { makeInstance } from './instance.ts';
import { isBelow } from './minimize.ts';
import { makeScope } from './scope.ts';
import type { Session } from './session.ts';
import { makeSession } from './session.ts';
import { runBody } from './statements.ts';

/** A training program: the step of one batch, its metrics in inference mode, and the first values of all it keeps. */
export function elaborateTrain(ctx: Context, decl: TrainDecl): Train {
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
  const step = run(ctx, decl, instance, 'step');
  if (!step.loss && !ctx.failed)
    ctx.fail(
      wrongBody(span, `\`${name}\` has no \`minimize\``, 'add `minimize loss over Net by sgd(lr = 0.1)`'),
    );
  emitMetrics(step);
  emitUpdates(step);
  const evaluation = run(ctx, decl, instance, 'evaluate');
  emitMetrics(evaluation);
  return {
    name,
    step: step.b.build(),
    evaluate: evaluation.b.build(),
    init: initialGraph(ctx, `${name}.init`, step),
    nets: [...step.nets],
  };
}

function run(ctx: Context, decl: TrainDecl, instance: Instance, purpose: 'step' | 'evaluate'): Session {
  const name = decl.name.name;
  const session = makeSession(new GraphBuilder(`${name}.${purpose}`), purpose);
  const scope = makeScope('train', name, ctx.root, instance);
  ctx.inSession(session, () =>
    ctx.at({ span: decl.name.span, path: name }, () =>
      ctx.withTraining(purpose === 'step', () => runBody(ctx, scope, decl.body)),
    ),
  );
  return session;
}

/** The loss first, under its name unless a metric has it. */
function emitMetrics({ b, loss, metrics }: Session): void {
  if (loss && !metrics.has('loss')) b.output({ name: 'loss', role: 'metric', value: loss });
  for (const [name, value] of metrics) b.output({ name, role: 'metric', value });
}

/** Only what follows `over` moves: its weights, the states below it, and the optimiser's own. */
function emitUpdates({ b, weights, updates, owned, variables }: Session): void {
  for (const [path, value] of weights) b.output({ name: path, role: 'update', value, target: path });
  for (const [path, value] of updates) {
    const moves = variables.get(path)?.owner === 'optimiser' || owned.some(root => isBelow(path, root));
    if (moves) b.output({ name: path, role: 'update', value, target: path });
  }
}
