import type { CstNode } from 'chevrotain';
import { cover } from '../support/source.ts';
import type { Arg, DimExpr, Expr, Index, IndexItem, Stage, TypeExpr } from './ast.ts';
import {
  type Context,
  hole,
  ident,
  maybeNode,
  maybeToken,
  node,
  nodes,
  spanOf,
  spanOfToken,
  token,
  tokens,
} from './cst.ts';
import { numberLiteral, stringValue } from './literals.ts';
import { foldOperators, join, type Operand } from './operators.ts';

export function expression(cx: Context, at: CstNode): Expr {
  const value = logic(cx, node(at, 'logic')).expr;
  const stages = nodes(at, 'stage').map(each => stage(cx, each));
  return stages.length === 0 ? value : { kind: 'pipe', value, stages, span: spanOf(cx, at) };
}

function logic(cx: Context, at: CstNode): Operand {
  const operands = nodes(at, 'operand').map(each => arithmeticOperand(cx, each));
  return foldOperators(cx, operands, tokens(at, 'operator'));
}

/** The level of dims, indices and `op` formulas: no pipes, comparisons or ranges. */
export function arithmetic(cx: Context, at: CstNode): Expr {
  return arithmeticOperand(cx, at).expr;
}

function arithmeticOperand(cx: Context, at: CstNode): Operand {
  const operands = nodes(at, 'operand').map(each => power(cx, each));
  return foldOperators(cx, operands, tokens(at, 'operator'));
}

/** `-a ^ -b ^ c` is `-(a ^ (-(b ^ c)))`. */
function power(cx: Context, at: CstNode): Operand {
  const factors = nodes(at, 'factor');
  const carets = tokens(at, 'Caret');
  let result: Operand | undefined;
  for (let i = factors.length - 1; i >= 0; i--) {
    const factor = factors[i]!;
    const base = inferred(cx, factor);
    const raised: Operand = result === undefined ? base : join(cx, base, carets[i]!, result);
    result = tokens(factor, 'prefix').reduceRight((inner: Operand, prefix) => {
      const span = cover(spanOfToken(cx, prefix), inner.span);
      const op = prefix.image === 'not' ? 'not' : '-';
      return { expr: { kind: 'unary', op, value: inner.expr, span }, span };
    }, raised);
  }
  return result ?? hole('power without factors');
}

function inferred(cx: Context, factor: CstNode): Operand {
  const at = node(factor, 'post');
  const value = { expr: post(cx, at), span: spanOf(cx, at) };
  const word = maybeToken(factor, 'Infer');
  if (word === undefined) return value;
  const span = cover(spanOfToken(cx, word), value.span);
  return { expr: { kind: 'unary', op: 'infer', value: value.expr, span }, span };
}

export function post(cx: Context, at: CstNode): Expr {
  const first = node(at, 'primary');
  const start = spanOf(cx, first);
  let value = primary(cx, first);
  for (const suffix of nodes(at, 'suffix')) {
    const span = cover(start, spanOf(cx, suffix));
    const called = maybeNode(suffix, 'args');
    const indexed = maybeNode(suffix, 'index');
    if (called !== undefined) value = { kind: 'call', callee: value, args: args(cx, called), span };
    else if (indexed !== undefined) value = { kind: 'index', value, index: index(cx, indexed), span };
    else value = { kind: 'field', value, name: ident(cx, token(suffix, 'Identifier')), span };
  }
  return value;
}

function primary(cx: Context, at: CstNode): Expr {
  const span = spanOf(cx, at);
  const number = maybeToken(at, 'NumberLiteral');
  if (number !== undefined) return numberLiteral(cx, number);
  const string = maybeToken(at, 'StringLiteral');
  if (string !== undefined) return { kind: 'string', value: stringValue(cx, string), span };
  const name = maybeToken(at, 'Identifier');
  if (name !== undefined) return { kind: 'name', name: name.image, span };
  const group = maybeNode(at, 'group');
  if (group !== undefined) return expression(cx, node(group, 'expr'));
  const list = maybeNode(at, 'list');
  if (list !== undefined) {
    return { kind: 'list', items: nodes(list, 'expr').map(item => expression(cx, item)), span };
  }
  const conditional = maybeNode(at, 'conditional');
  return conditional === undefined ? scan(cx, node(at, 'scan')) : choiceByCondition(cx, conditional);
}

/** `else if` nests to the right: the last branch is built first. */
function choiceByCondition(cx: Context, at: CstNode): Expr {
  const end = spanOf(cx, at);
  return nodes(at, 'branch').reduceRight<Expr>(
    (otherwise, branch) => ({
      kind: 'if',
      condition: expression(cx, node(branch, 'condition')),
      then: expression(cx, node(branch, 'value')),
      else: otherwise,
      span: { ...end, start: spanOf(cx, branch).start },
    }),
    expression(cx, node(at, 'expr')),
  );
}

function scan(cx: Context, at: CstNode): Expr {
  return {
    kind: 'scan',
    args: args(cx, node(at, 'args')),
    variable: ident(cx, token(at, 'Identifier')),
    over: expression(cx, node(at, 'expr')),
    carry: nodes(at, 'carried').map(each => ({
      name: ident(cx, token(each, 'Identifier')),
      value: expression(cx, node(each, 'expr')),
    })),
    body: cx.body(node(at, 'body')),
    span: spanOf(cx, at),
  };
}

function stage(cx: Context, at: CstNode): Stage {
  const named = maybeToken(at, 'label');
  const label = named && ident(cx, named);
  const span = spanOf(cx, at);
  const applied = maybeNode(at, 'post');
  if (applied !== undefined) return { kind: 'apply', label, value: post(cx, applied), span };
  const repeat = node(at, 'repeatStage');
  const variable = maybeToken(repeat, 'Identifier');
  return {
    kind: 'repeat',
    label,
    variable: variable && ident(cx, variable),
    over: logic(cx, node(repeat, 'logic')).expr,
    stages: nodes(repeat, 'stage').map(each => stage(cx, each)),
    span,
  };
}

function args(cx: Context, at: CstNode): Arg[] {
  return nodes(at, 'arg').map(each => {
    const name = maybeToken(each, 'Identifier');
    return {
      name: name && ident(cx, name),
      value: expression(cx, node(each, 'expr')),
      span: spanOf(cx, each),
    };
  });
}

export function index(cx: Context, at: CstNode): Index {
  return nodes(at, 'indexItem').map(each => indexItem(cx, each));
}

function indexItem(cx: Context, at: CstNode): IndexItem {
  const span = spanOf(cx, at);
  if (maybeToken(at, 'Ellipsis') !== undefined) return { kind: 'ellipsis', span };
  const first = maybeNode(at, 'arithmetic');
  const from = first && arithmetic(cx, first);
  const rest = maybeNode(at, 'sliceEnd');
  if (rest === undefined) return { kind: 'at', value: from ?? hole('empty index'), span };
  const to = maybeNode(rest, 'to');
  const step = maybeNode(rest, 'step');
  return { kind: 'slice', from, to: to && arithmetic(cx, to), step: step && arithmetic(cx, step), span };
}

export function type(cx: Context, at: CstNode): TypeExpr {
  const shaped = maybeToken(at, 'LBracket') !== undefined;
  return {
    name: ident(cx, token(at, 'Identifier')),
    dims: shaped ? nodes(at, 'dim').map(each => dim(cx, each)) : undefined,
    span: spanOf(cx, at),
  };
}

function dim(cx: Context, at: CstNode): DimExpr {
  const span = spanOf(cx, at);
  if (maybeToken(at, 'Ellipsis') !== undefined) {
    const name = maybeToken(at, 'Identifier');
    return { kind: 'pack', name: name && ident(cx, name), span };
  }
  const value = arithmetic(cx, node(at, 'arithmetic'));
  return value.kind === 'name' && value.name === '_'
    ? { kind: 'wildcard', span }
    : { kind: 'expr', value, span };
}
