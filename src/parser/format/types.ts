import type { CstNode } from 'chevrotain';
import { maybeNode, maybeToken, node, nodes, token, tokens } from '../cst.ts';
import type { Layout } from './context.ts';
import { concat, type Doc, space } from './doc.ts';
import { arithmetic, expression } from './expressions.ts';
import { bracketed } from './lists.ts';

/** `f32[N, 3]`. */
export function type(cx: Layout, at: CstNode): Doc {
  const name = cx.token(token(at, 'Identifier'));
  const open = maybeToken(at, 'LBracket');
  if (open === undefined) return name;
  const dims = nodes(at, 'dim').map(each => {
    const ellipsis = maybeToken(each, 'Ellipsis');
    if (ellipsis === undefined) return arithmetic(cx, node(each, 'arithmetic'));
    return concat(cx.token(ellipsis), cx.token(maybeToken(each, 'Identifier')));
  });
  const close = cx.token(token(at, 'RBracket'));
  return concat(name, bracketed(cx.token(open), cx.separated(dims, tokens(at, 'Comma')), close));
}

/** `(x: f32[N], n: int = 3)`. */
export function params(cx: Layout, at: CstNode): Doc {
  const items = nodes(at, 'param').map(each => {
    const value = maybeNode(each, 'expr');
    return concat(
      cx.token(token(each, 'Identifier')),
      cx.token(token(each, 'Colon')),
      space,
      type(cx, node(each, 'type')),
      ...(value === undefined ? [] : [space, cx.token(token(each, 'Equals')), space, expression(cx, value)]),
    );
  });
  return bracketed(
    cx.token(token(at, 'LParen')),
    cx.separated(items, tokens(at, 'Comma')),
    cx.token(token(at, 'RParen')),
  );
}

export function result(cx: Layout, at: CstNode): Doc {
  const single = maybeNode(at, 'type');
  return single === undefined ? params(cx, node(at, 'params')) : type(cx, single);
}
