import type { CstNode } from 'chevrotain';
import type { Body, Statement, Target } from './ast.ts';
import {
  type Context,
  choice,
  Hole,
  hole,
  ident,
  maybeNode,
  maybeToken,
  node,
  nodes,
  spanOf,
  token,
  tokens,
} from './cst.ts';
import { expression, post, type } from './expressions.ts';

export function body(cx: Context, at: CstNode): Body {
  const statements: Statement[] = [];
  for (const each of nodes(at, 'statement')) {
    try {
      statements.push(statement(cx, choice(each)));
    } catch (error) {
      if (!(error instanceof Hole)) throw error;
    }
  }
  return { statements, span: spanOf(cx, at) };
}

function statement(cx: Context, at: CstNode): Statement {
  const span = spanOf(cx, at);
  const value = () => expression(cx, node(at, 'expr'));
  const values = () => nodes(at, 'expr').map(each => expression(cx, each));
  const names = tokens(at, 'Identifier').map(each => ident(cx, each));
  const name = names[0] ?? { name: '', span };
  switch (at.name) {
    case 'binding':
      return maybeToken(at, 'LeftArrow') === undefined
        ? { kind: 'assign', names: [name], value: value(), span }
        : { kind: 'update', name, value: value(), span };
    case 'tuple':
      return { kind: 'assign', names, value: value(), span };
    case 'declare':
      return {
        kind: 'declare',
        role: token(at, 'role').image as 'data' | 'param' | 'state',
        name,
        type: type(cx, node(at, 'type')),
        value: maybeNode(at, 'expr') && value(),
        span,
      };
    case 'metric':
      return { kind: 'metric', name, value: value(), span };
    case 'step': {
      const every = maybeToken(at, 'NumberLiteral');
      return {
        kind: 'step',
        name,
        every: every && Number(every.image),
        body: body(cx, node(at, 'body')),
        span,
      };
    }
    case 'minimize':
      return {
        kind: 'minimize',
        value: value(),
        targets: nodes(at, 'target').map(each => target(cx, each)),
        span,
      };
    case 'repeat':
      return { kind: 'repeat', variable: names[0], over: value(), body: body(cx, node(at, 'body')), span };
    case 'returns':
      return { kind: 'return', values: values(), span };
    case 'yields':
      return { kind: 'yield', values: values(), span };
    default:
      return hole(`no statement: ${at.name}`);
  }
}

function target(cx: Context, at: CstNode): Target {
  return {
    what: nodes(at, 'post').map(each => post(cx, each)),
    by: expression(cx, node(at, 'expr')),
    span: spanOf(cx, at),
  };
}
