import type { Body, Ident, Statement } from '../../parser/ast.ts';
import { duplicateName, misplaced } from '../../support/errors/names.ts';
import { wrongKind } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import { Poisoned } from './context.ts';
import { evaluate } from './evaluate.ts';
import { claim } from './instance.ts';
import { addMetric, minimize } from './minimize.ts';
import { inTurn, turnsOf, withVariable } from './pipe.ts';
import { childPath, localKey, placeAt } from './place.ts';
import type { Scope } from './scope.ts';
import type { Val } from './values.ts';
import { describe } from './values.ts';
import { declareData, declareVariable, updateState } from './variables.ts';

/**
 * Runs the statements of a body. In the user's own text an error ends its statement alone: the names that it would
 * have bound are poisoned, and the next statement is looked at. Whether all went well.
 */
export function runBody(ctx: Context, scope: Scope, body: Body): boolean {
  let sound = true;
  for (const s of body.statements) {
    if (scope.returned) break;
    if (scope.module.std) {
      runStatement(ctx, scope, s);
      continue;
    }
    const done = ctx.attempt(() => {
      ctx.at({ span: s.span }, () => runStatement(ctx, scope, s));
      return true;
    });
    if (!done) {
      poison(scope, s);
      sound = false;
    }
  }
  return sound;
}

function poison(scope: Scope, s: Statement): void {
  const bad: Val = { kind: 'poison' };
  switch (s.kind) {
    case 'declare':
    case 'metric':
    case 'update':
      scope.values.set(s.name.name, bad);
      break;
    case 'assign':
      for (const name of s.names) scope.values.set(name.name, bad);
      break;
    case 'return':
      scope.returned = [bad];
      break;
    case 'repeat':
      for (const inner of s.body.statements) poison(scope, inner);
      break;
    default:
      break;
  }
}

function runStatement(ctx: Context, scope: Scope, s: Statement): void {
  ctx.spend(s.span);
  switch (s.kind) {
    case 'declare':
      if (s.role === 'data') {
        outsideTurns(ctx, scope, s, '`data`');
        declareData(ctx, scope, s);
      } else declareVariable(ctx, scope, s);
      break;
    case 'assign':
      assign(ctx, scope, s);
      break;
    case 'update':
      ctx.within(scope.module, { path: childPath(ctx, scope, s.name.name) }, () =>
        updateState(ctx, scope, s),
      );
      break;
    case 'metric':
      inTrain(ctx, scope, s, '`metric`');
      ctx.within(scope.module, { path: childPath(ctx, scope, s.name.name) }, () => addMetric(ctx, scope, s));
      break;
    case 'minimize':
      inTrain(ctx, scope, s, '`minimize`');
      minimize(ctx, scope, s);
      break;
    case 'step':
      inTrain(ctx, scope, s, '`step`');
      runStep(ctx, scope, s);
      break;
    case 'repeat':
      repeat(ctx, scope, s);
      break;
    case 'return':
      if (scope.turn)
        ctx.fail(misplaced(s.span, 'a turn of a `scan` returns nothing', '`yield` hands out a value of it'));
      if (scope.kind === 'train') ctx.fail(misplaced(s.span, 'a training program returns nothing'));
      scope.returned = s.values.map(v => evaluate(ctx, scope, v));
      scope.returnSpans = s.values.map(v => v.span);
      break;
    case 'yield':
      yieldValues(ctx, scope, s);
  }
}

/** Once in a turn, at any place of the body. */
function yieldValues(ctx: Context, scope: Scope, s: Extract<Statement, { kind: 'yield' }>): void {
  if (!scope.turn) ctx.fail(misplaced(s.span, '`yield` stands only in the body of a `scan`'));
  if (scope.turn.yielded) ctx.fail(misplaced(s.span, 'a turn yields once', 'list the values in one `yield`'));
  scope.turn.yielded = s.values.map(v => ({ value: evaluate(ctx, scope, v), span: v.span }));
}

function inTrain(ctx: Context, scope: Scope, s: Statement, what: string): void {
  if (scope.kind !== 'train') ctx.fail(misplaced(s.span, `${what} stands only in training programs`));
  outsideTurns(ctx, scope, s, what);
}

function outsideTurns(ctx: Context, scope: Scope, s: Statement, what: string): void {
  if (scope.turn)
    ctx.fail(
      misplaced(
        s.span,
        `${what} stands outside of loops`,
        'the result of a `scan` has what it carries and yields',
      ),
    );
}

/** Only the step that this graph is for, or every one where the graph computes metrics alone. Its names are its own. */
function runStep(ctx: Context, scope: Scope, s: Extract<Statement, { kind: 'step' }>): void {
  const { session } = ctx;
  if (session.step ? session.step !== s : session.purpose === 'step') return;
  session.metricPrefix = `${s.name.name}.`;
  try {
    runBody(ctx, { ...scope, values: new Map(scope.values) }, s.body);
  } finally {
    session.metricPrefix = '';
  }
}

function repeat(ctx: Context, scope: Scope, s: Extract<Statement, { kind: 'repeat' }>): void {
  const turns = turnsOf(ctx, scope, s.over);
  withVariable(scope, s.variable?.name, bind => {
    turns.forEach((turn, i) => {
      bind(turn);
      // What is wrong in one turn is wrong in all of them.
      if (!inTurn(scope, i, () => runBody(ctx, scope, s.body))) throw new Poisoned();
    });
  });
}

function assign(ctx: Context, scope: Scope, s: Extract<Statement, { kind: 'assign' }>): void {
  const [name] = s.names as [Ident];
  const path = scope.instance ? childPath(ctx, scope, localKey(scope, name.name)) : ctx.site.path;
  const value = ctx.within(scope.module, { path }, () => evaluate(ctx, scope, s.value));
  if (s.names.length > 1) bindParts(ctx, scope, s, value);
  else scope.values.set(name.name, settled(ctx, scope, s, name, value));
}

/** `enc = dense(64)` makes a layer at this place; the name of a block alone is no layer yet. */
function settled(ctx: Context, scope: Scope, site: object, name: Ident, value: Val): Val {
  if (value.kind !== 'block' || !value.statics || !scope.instance) return value;
  if (!claim(scope.instance, site, name.name, scope.group))
    ctx.fail(duplicateName(name.span, 'layer', name.name));
  const key = localKey(scope, name.name);
  return { kind: 'instance', instance: placeAt(scope, value, key) };
}

function bindParts(ctx: Context, scope: Scope, s: Extract<Statement, { kind: 'assign' }>, value: Val): void {
  const parts =
    value.kind === 'record'
      ? value.outputs.map(o => o.value)
      : value.kind === 'list'
        ? value.items
        : undefined;
  if (!parts)
    ctx.fail(wrongKind(s.value.span, `${describe(value)} has no parts to bind to ${s.names.length} names`));
  if (parts.length < s.names.length)
    ctx.fail(wrongKind(s.value.span, `${parts.length} values for ${s.names.length} names`));
  s.names.forEach((name, i) => {
    scope.values.set(name.name, parts[i]!);
  });
}
