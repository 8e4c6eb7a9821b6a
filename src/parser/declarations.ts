import type { CstNode } from 'chevrotain';
import { unknownReduction } from '../support/errors/syntax.ts';
import type { Declaration, Import, NetDecl, OpDecl, Param, Result } from './ast.ts';
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
import { arithmetic, expression, index, type } from './expressions.ts';
import { stringValue } from './literals.ts';

export function importOf(cx: Context, at: CstNode): Import {
  const from = token(at, 'StringLiteral');
  return {
    kind: 'import',
    names: tokens(at, 'Identifier').map(each => ident(cx, each)),
    from: stringValue(cx, from),
    fromSpan: spanOfToken(cx, from),
    span: spanOf(cx, at),
  };
}

export function declaration(cx: Context, at: CstNode): Declaration {
  const span = spanOf(cx, at);
  const name = ident(cx, token(at, 'Identifier'));
  const body = () => cx.body(node(at, 'body'));
  switch (at.name) {
    case 'constDeclaration': {
      const declared = maybeNode(at, 'type');
      const value = expression(cx, node(at, 'expr'));
      return { kind: 'const', name, type: declared && type(cx, declared), value, span };
    }
    case 'fnDeclaration':
      return { kind: 'fn', name, params: params(cx, at), result: resultOf(cx, at), body: body(), span };
    case 'opDeclaration':
      return op(cx, at);
    case 'blockDeclaration':
      return {
        kind: 'block',
        name,
        statics: params(cx, at, 'statics'),
        params: params(cx, at),
        result: resultOf(cx, at),
        body: body(),
        span,
      };
    case 'netDeclaration': {
      const signed = maybeNode(at, 'params') !== undefined;
      return {
        kind: 'net',
        name,
        params: signed ? params(cx, at) : undefined,
        result: signed ? resultOf(cx, at) : undefined,
        definition: definition(cx, at),
        span,
      };
    }
    case 'trainDeclaration':
      return { kind: 'train', name, body: body(), span };
    default:
      return hole(`no declaration: ${at.name}`);
  }
}

function definition(cx: Context, at: CstNode): NetDecl['definition'] {
  const alias = maybeNode(at, 'alias');
  if (alias === undefined) return { kind: 'body', body: cx.body(node(at, 'body')) };
  const file = maybeToken(alias, 'weightsFile');
  const rename = maybeToken(alias, 'renameTable');
  return {
    kind: 'alias',
    value: expression(cx, node(alias, 'expr')),
    weights: file && {
      file: stringValue(cx, file),
      span: spanOfToken(cx, file),
      rename: rename && stringValue(cx, rename),
    },
  };
}

function op(cx: Context, at: CstNode): OpDecl {
  const reduction = token(at, 'reduction');
  const known = (['sum', 'max', 'min', 'prod'] as const).find(each => each === reduction.image);
  if (known === undefined) cx.report(unknownReduction(spanOfToken(cx, reduction), reduction.image));
  return {
    kind: 'op',
    name: ident(cx, token(at, 'Identifier')),
    params: params(cx, at),
    resultName: ident(cx, token(at, 'resultName')),
    resultType: type(cx, node(at, 'type')),
    target: ident(cx, token(at, 'target')),
    index: index(cx, node(at, 'index')),
    reduction: known ?? hole('op without a reduction'),
    over: tokens(at, 'over').map(each => ident(cx, each)),
    value: arithmetic(cx, node(at, 'arithmetic')),
    span: spanOf(cx, at),
  };
}

function params(cx: Context, at: CstNode, key = 'params'): Param[] {
  return nodes(node(at, key), 'param').map(each => {
    const value = maybeNode(each, 'expr');
    return {
      name: ident(cx, token(each, 'Identifier')),
      type: type(cx, node(each, 'type')),
      value: value && expression(cx, value),
      span: spanOf(cx, each),
    };
  });
}

function resultOf(cx: Context, at: CstNode): Result {
  const result = node(at, 'result');
  const span = spanOf(cx, result);
  const single = maybeNode(result, 'type');
  if (single !== undefined) return { kind: 'type', type: type(cx, single), span };
  return { kind: 'tuple', fields: params(cx, result), span };
}
