import type { IToken } from 'chevrotain';
import { chainedOperator } from '../support/errors/syntax.ts';
import { cover, type Span } from '../support/source.ts';
import type { BinaryOperator, Expr } from './ast.ts';
import { type Context, spanOfToken } from './cst.ts';

/** An expression with the text it takes up; parentheses belong to the text, not to the expression. */
export interface Operand {
  readonly expr: Expr;
  readonly span: Span;
}

/** How tightly each operator of the two flat levels of the grammar binds. */
const precedence: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '..': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '~/': 6,
  '%': 6,
  '@': 6,
};

/** How tightly an operator of the flat levels binds: a number that is larger for those that bind tighter. */
export function precedenceOf(operator: string): number {
  return precedence[operator] ?? 0;
}

/** Comparisons and ranges, which do not chain. */
const chains = (level: number): boolean => level !== 3 && level !== 4;

/** Builds the tree of `a op b op c …` by precedence, to the left among equals. */
export function foldOperators(
  cx: Context,
  operands: readonly Operand[],
  operators: readonly IToken[],
): Operand {
  const values: Operand[] = [];
  const pending: IToken[] = [];
  const reduce = (): void => {
    const right = values.pop()!;
    const left = values.pop()!;
    values.push(join(cx, left, pending.pop()!, right));
  };
  operands.forEach((operand, i) => {
    values.push(operand);
    const next = operators[i];
    if (next === undefined) return;
    const level = precedence[next.image] ?? 0;
    while (pending.length > 0 && precedence[pending.at(-1)!.image]! >= level) {
      if (precedence[pending.at(-1)!.image] === level && !chains(level)) {
        cx.report(chainedOperator(spanOfToken(cx, next), next.image));
      }
      reduce();
    }
    pending.push(next);
  });
  while (pending.length > 0) reduce();
  return values[0]!;
}

/** One binary expression. */
export function join(cx: Context, left: Operand, operator: IToken, right: Operand): Operand {
  const span = cover(left.span, right.span);
  if (operator.image === '..') {
    return { expr: { kind: 'range', from: left.expr, to: right.expr, span }, span };
  }
  const op = operator.image as BinaryOperator;
  const opSpan = spanOfToken(cx, operator);
  return { expr: { kind: 'binary', op, left: left.expr, right: right.expr, opSpan, span }, span };
}
