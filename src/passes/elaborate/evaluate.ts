import * as D from '../../ir/dim.ts';
import type { Expr } from '../../parser/ast.ts';
import { notStatic, staticFailure, wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { binary, negate, not } from './arithmetic.ts';
import { evaluateCall } from './call.ts';
import type { Context } from './context.ts';
import { field } from './fields.ts';
import { index } from './indexing.ts';
import { lookup, stageInstance } from './lookup.ts';
import { evaluatePipe } from './pipe.ts';
import { evaluateScan } from './scan.ts';
import type { Scope } from './scope.ts';
import type { Val } from './values.ts';
import { asDim, describe, int, list, MAX_LIST } from './values.ts';

/** The value of an expression. Reports errors by throwing `DiagnosticError`, or `Poisoned` where one is reported already. */
export function evaluate(ctx: Context, scope: Scope, expr: Expr): Val {
  ctx.spend(expr.span);
  switch (expr.kind) {
    case 'number':
      return { kind: 'number', value: expr.value, isFloat: expr.isFloat };
    case 'string':
      return { kind: 'string', value: expr.value };
    case 'name':
      return lookup(ctx, scope, expr.name, expr.span);
    case 'list':
      return list(expr.items.map(item => evaluate(ctx, scope, item)));
    case 'unary':
      return evaluateUnary(ctx, scope, expr);
    case 'binary': {
      const left = evaluate(ctx, scope, expr.left);
      // A condition is decided as soon as its left side decides it.
      if (
        left.kind === 'bool' &&
        (expr.op === 'and' || expr.op === 'or') &&
        left.value === (expr.op === 'or')
      )
        return left;
      const right = evaluate(ctx, scope, expr.right);
      return ctx.within(scope.module, { span: expr.opSpan }, () =>
        binary(ctx, expr.op, left, right, expr.opSpan),
      );
    }
    case 'range': {
      const from = staticInt(ctx, scope, expr.from, 'the start of a range');
      const to = staticInt(ctx, scope, expr.to, 'the end of a range');
      if (to - from > MAX_LIST) ctx.fail(staticFailure(expr.span, `a range of ${to - from} is too long`));
      return list(Array.from({ length: Math.max(0, to - from) }, (_, i) => int(from + i)));
    }
    case 'call':
      return evaluateCall(ctx, scope, expr);
    case 'index':
      return index(ctx, scope, expr);
    case 'field': {
      const stage = expr.value.kind === 'name' ? stageInstance(scope, expr.value.name) : undefined;
      return field(ctx, stage ?? evaluate(ctx, scope, expr.value), expr.name);
    }
    case 'if': {
      const condition = staticBool(ctx, scope, expr.condition);
      return evaluate(ctx, scope, condition ? expr.then : expr.else);
    }
    case 'scan':
      return evaluateScan(ctx, scope, expr);
    case 'pipe':
      return evaluatePipe(ctx, scope, expr);
  }
}

function evaluateUnary(ctx: Context, scope: Scope, expr: Extract<Expr, { kind: 'unary' }>): Val {
  if (expr.op === 'infer') return ctx.withTraining(false, () => evaluate(ctx, scope, expr.value));
  const value = evaluate(ctx, scope, expr.value);
  const apply = expr.op === '-' ? negate : not;
  return ctx.within(scope.module, { span: expr.span }, () => apply(ctx, value, expr.span));
}

function staticBool(ctx: Context, scope: Scope, expr: Expr): boolean {
  const value = evaluate(ctx, scope, expr);
  if (value.kind === 'bool') return value.value;
  const atRunTime = value.kind === 'tensor' || value.kind === 'record';
  if (atRunTime)
    ctx.fail(
      notStatic(
        expr.span,
        'the condition of `if`',
        describe(value),
        'choose at run time with `where(condition, a, b)`',
      ),
    );
  ctx.fail(wrongKind(expr.span, `the condition of \`if\` must be true or false, not ${describe(value)}`));
}

export function staticInt(ctx: Context, scope: Scope, expr: Expr, what: string): number {
  return intOf(ctx, evaluate(ctx, scope, expr), what, expr.span);
}

export function intOf(ctx: Context, value: Val, what: string, span: Span): number {
  const dim = asDim(value);
  const n = dim && D.constantValue(dim);
  if (n !== undefined) return n;
  if (value.kind === 'number')
    ctx.fail(wrongKind(span, `${what} must be a whole number, not ${describe(value)}`));
  ctx.fail(notStatic(span, what, describe(value)));
}
