import type { CstNode, IToken } from 'chevrotain';
import { choice as alternative, maybeNode, maybeToken, node, nodes, token, tokens } from '../cst.ts';
import { type Layout, startOf } from './context.ts';
import { choice, concat, type Doc, fill, INDENT, indent, line, sequenceOf, space, text } from './doc.ts';
import { expression, loopVariable } from './expressions.ts';
import { bracketed } from './lists.ts';
import { minimize } from './minimize.ts';
import { type } from './types.ts';

/** A statement a line; a single one may stand on the line of its braces. */
export function body(cx: Layout, at: CstNode): Doc {
  const open = cx.token(token(at, 'LBrace'));
  const found = nodes(at, 'statement');
  const closing = token(at, 'RBrace');
  const broken = found[0] !== undefined && cx.isFirst(startOf(found[0]));
  const lines = sequence(cx, found, statement, closing);
  const close = cx.token(closing);
  if (lines.length === 0 && !open.ends) return concat(open, close);
  const [only] = lines;
  const flat = concat(open, space, sequenceOf(lines.map(each => each.doc)), space, close);
  const block = concat(
    open,
    indent({ by: INDENT }, sequenceOf(lines.flatMap((each, i) => [line(i > 0 && each.blank), each.doc]))),
    line(),
    close,
  );
  const single = lines.length === 1 && only !== undefined && !only.isComment;
  return choice(flat, () => block, { lead: open.lead, forced: !single || broken });
}

interface Line {
  readonly doc: Doc;
  /** An empty line stands before it. */
  readonly blank: boolean;
  readonly isComment: boolean;
}

/** Statements or declarations and the comments before each and before what ends them. */
export function sequence(
  cx: Layout,
  found: readonly CstNode[],
  layout: (cx: Layout, at: CstNode) => Doc,
  end: IToken | number,
): Line[] {
  const comments = (offset: number): { lines: Line[]; blank: boolean } => {
    const { before, blank } = cx.takeBefore(offset);
    const lines = before.map(each => ({ doc: text(each.text), blank: each.blank, isComment: true }));
    return { lines, blank };
  };
  return [
    ...found.flatMap(at => {
      const { lines, blank } = comments(startOf(at));
      return [...lines, { doc: layout(cx, at), blank, isComment: false }];
    }),
    ...comments(typeof end === 'number' ? end : end.startOffset).lines,
  ];
}

function statement(cx: Layout, outer: CstNode): Doc {
  const at = alternative(outer);
  const word = (name: string): Doc => cx.token(token(at, name));
  const value = (): Doc => expression(cx, node(at, 'expr'), true);
  switch (at.name) {
    case 'binding': {
      const sign = maybeToken(at, 'Equals') ?? token(at, 'LeftArrow');
      return concat(word('Identifier'), space, cx.token(sign), space, value());
    }
    case 'tuple':
      return concat(names(cx, at), space, word('Equals'), space, value());
    case 'metric':
      return concat(word('Metric'), space, word('Identifier'), space, word('Equals'), space, value());
    case 'declare': {
      const given = maybeNode(at, 'expr') === undefined ? [] : [space, word('Equals'), space, value()];
      const typed = type(cx, node(at, 'type'));
      return concat(word('role'), space, word('Identifier'), word('Colon'), space, typed, ...given);
    }
    case 'step': {
      const every = maybeToken(at, 'NumberLiteral');
      const count = every === undefined ? [] : [word('Every'), space, cx.token(every), space];
      const inside = body(cx, node(at, 'body'));
      return concat(word('Step'), space, word('Identifier'), space, ...count, inside);
    }
    case 'repeat': {
      const over = expression(cx, node(at, 'expr'));
      const inside = body(cx, node(at, 'body'));
      return concat(word('Repeat'), space, ...loopVariable(cx, at), over, space, inside);
    }
    case 'minimize':
      return minimize(cx, at);
    case 'returns':
      return concat(word('Return'), space, values(cx, at));
    default:
      return concat(word('Yield'), space, values(cx, at));
  }
}

/** `(a, b)`. */
function names(cx: Layout, at: CstNode): Doc {
  const items = tokens(at, 'Identifier').map(each => cx.token(each));
  return bracketed(
    cx.token(token(at, 'LParen')),
    cx.separated(items, tokens(at, 'Comma')),
    cx.token(token(at, 'RParen')),
  );
}

function values(cx: Layout, at: CstNode): Doc {
  const found = nodes(at, 'expr');
  if (found.length === 1) return expression(cx, found[0]!, true);
  const items = found.map(each => expression(cx, each));
  return indent('here', fill(cx.separated(items, tokens(at, 'Comma'))));
}
