import { GraphBuilder } from '../../ir/builder.ts';
import * as D from '../../ir/dim.ts';
import type { Graph } from '../../ir/graph.ts';
import { printType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { wrongDType, wrongKind } from '../../support/errors/shapes.ts';
import { applyInstance, callFunction } from './apply.ts';
import { bindStatics, callBuiltin } from './call.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { makeInstance } from './instance.ts';
import { definitionOf } from './place.ts';
import type { Session, Variable } from './session.ts';
import { initialSite, makeSession } from './session.ts';
import { toTensor } from './tensors.ts';
import type { Val } from './values.ts';
import { describe, isCallable, list, size } from './values.ts';

/** The graph that gives every parameter and state of other graphs its first value. */
export function initialGraph(ctx: Context, name: string, of: readonly Session[]): Graph {
  const session = makeSession(new GraphBuilder(name), 'init');
  const variables = new Map(of.flatMap(s => [...s.variables]));
  ctx.inSession(session, () => {
    for (const variable of variables.values()) ctx.attempt(() => initialise(ctx, session, variable));
  });
  return session.b.build();
}

function initialise(ctx: Context, session: Session, variable: Variable): void {
  const { path, type, span, initial } = variable;
  let draws = 0;
  session.nextSite = () => initialSite(path, draws++);
  ctx.at({ span, path }, () => {
    const given = evaluate(ctx, initial.scope, initial.expr!);
    const made = isCallable(given) ? callInitialiser(ctx, given, variable) : given;
    const value = toTensor(ctx, made, span, type.dtype);
    if (value.type.dtype !== type.dtype)
      ctx.fail(wrongDType(span, `${path} is ${printType(type)}, its initial value ${printType(value.type)}`));
    const full = B.broadcastTo(ctx.b, value, type.shape);
    session.b.output({ name: path, role: 'update', value: full, target: path });
  });
}

/** Calls an initialiser with as many of (shape, fan_in, fan_out) as it takes. */
function callInitialiser(ctx: Context, f: Val, { type, span, path }: Variable): Val {
  // Of a weight [out, in, ...kernel], as convolutions and dense layers have.
  const [out = D.constant(1), into = out, ...kernel] = type.shape;
  const values = [
    list(type.shape.map(size)),
    size(D.product([into, ...kernel])),
    size(D.product([out, ...kernel])),
  ];
  const args = values.map(value => ({ value, span }));
  switch (f.kind) {
    case 'fn':
      return callFunction(ctx, f.decl, f.module, args.slice(0, f.decl.params.length), span);
    case 'block': {
      const bound = f.statics ? f : bindStatics(ctx, f, [], span);
      const instance = makeInstance(definitionOf(bound), '', bound.statics!);
      return applyInstance(ctx, instance, args.slice(0, bound.decl.params.length), span);
    }
    case 'builtin':
      return callBuiltin(ctx, f.builtin, args.slice(0, 1), span);
    default:
      return ctx.fail(wrongKind(span, `${describe(f)} cannot make the initial value of ${path}`));
  }
}
