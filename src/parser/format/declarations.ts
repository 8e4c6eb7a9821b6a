import type { CstNode } from 'chevrotain';
import { choice as alternative, maybeNode, maybeToken, node, token, tokens } from '../cst.ts';
import type { Layout } from './context.ts';
import { choice, concat, type Doc, fill, INDENT, indent, line, type Place, space, WIDTH } from './doc.ts';
import { arithmetic, expression, index } from './expressions.ts';
import { braced, bracketed } from './lists.ts';
import { body } from './statements.ts';
import { params, result, type } from './types.ts';

export function declaration(cx: Layout, outer: CstNode): Doc {
  const at = alternative(outer);
  switch (at.name) {
    case 'importDeclaration':
      return importOf(cx, at);
    case 'constDeclaration': {
      const typed = maybeNode(at, 'type');
      const name = cx.token(token(at, 'Identifier'));
      const ascribed = typed === undefined ? [] : [cx.token(token(at, 'Colon')), space, type(cx, typed)];
      const value = expression(cx, node(at, 'expr'), true);
      const equals = cx.token(token(at, 'Equals'));
      return concat(cx.token(token(at, 'Const')), space, name, ...ascribed, space, equals, space, value);
    }
    case 'fnDeclaration':
      return concat(signature(cx, at, 'Fn'), space, body(cx, node(at, 'body')));
    case 'blockDeclaration':
      return concat(signature(cx, at, 'Block'), space, body(cx, node(at, 'body')));
    case 'opDeclaration':
      return op(cx, at);
    case 'netDeclaration':
      return net(cx, at);
    default: {
      const name = cx.token(token(at, 'Identifier'));
      return concat(cx.token(token(at, 'Train')), space, name, space, body(cx, node(at, 'body')));
    }
  }
}

function importOf(cx: Layout, at: CstNode): Doc {
  const names = tokens(at, 'Identifier').map(each => cx.token(each));
  const open = maybeToken(at, 'LBrace');
  const list = fill(cx.separated(names, tokens(at, 'Comma')));
  const what = open === undefined ? list : braced(cx.token(open), list, cx.token(token(at, 'RBrace')), false);
  const from = [cx.token(token(at, 'From')), space, cx.token(token(at, 'StringLiteral'))];
  return concat(cx.token(token(at, 'Import')), space, what, space, ...from);
}

/** Where the second line of a signature begins. */
const INSET = 6;

/**
 * `block Name(statics)(params) -> result`. Where there is no room, the last parentheses of a block or the arrow of
 * anything else begin a line; parameters are spread over lines only where that is not enough.
 */
function signature(cx: Layout, at: CstNode, keyword: string): Doc {
  const start = concat(cx.token(token(at, keyword)), space, cx.token(token(at, 'Identifier')));
  const statics = maybeNode(at, 'statics');
  const first = statics === undefined ? [] : [params(cx, statics)];
  const last = params(cx, node(at, 'params'));
  const arrow = concat(cx.token(token(at, 'Arrow')), space, resultName(cx, at), resultType(cx, at));

  const named = concat(start, ...first);
  const rest = concat(last, space, arrow);
  const all = concat(named, last);
  const layout = ({ tail }: Place): Doc => {
    if (first.length > 0 && !(named.width <= WIDTH)) return concat(named, behind(rest));
    if (first.length > 0) return concat(named, below(rest.width + INSET + tail <= WIDTH ? rest : spread()));
    return spread();
  };
  const spread = (): Doc =>
    first.length > 0 ? concat(last, behind(arrow, space)) : concat(all, behind(arrow, space));
  return choice(concat(named, rest), layout, { lead: start.lead });
}

const below = (doc: Doc): Doc => indent({ column: INSET }, concat(line(), doc));

/** Behind what stands before it if there is room, else below it. */
function behind(doc: Doc, ...gap: Doc[]): Doc {
  return choice(concat(...gap, doc), () => below(doc), { lead: 0 });
}

/** `y: ` of an `op`. */
function resultName(cx: Layout, at: CstNode): Doc {
  const name = maybeToken(at, 'resultName');
  return name === undefined ? concat() : concat(cx.token(name), cx.token(token(at, 'Colon')), space);
}

function resultType(cx: Layout, at: CstNode): Doc {
  const declared = maybeNode(at, 'result');
  return declared === undefined ? type(cx, node(at, 'type')) : result(cx, declared);
}

function op(cx: Layout, at: CstNode): Doc {
  const over = tokens(at, 'over').map(each => cx.token(each));
  const target = token(at, 'target');
  const reduced = bracketed(
    cx.token(token(at, 'LParen')),
    cx.separated(over, tokens(at, 'Comma')),
    cx.token(token(at, 'RParen')),
  );
  const formula = concat(
    cx.token(target),
    index(cx, node(at, 'index')),
    space,
    cx.token(token(at, 'Equals')),
    space,
    cx.token(token(at, 'reduction')),
    reduced,
    space,
    arithmetic(cx, node(at, 'arithmetic')),
  );
  const open = cx.token(token(at, 'LBrace'));
  const close = cx.token(token(at, 'RBrace'));
  return concat(signature(cx, at, 'Op'), space, braced(open, formula, close, cx.isFirst(target.startOffset)));
}

function net(cx: Layout, at: CstNode): Doc {
  const named = concat(cx.token(token(at, 'Net')), space, cx.token(token(at, 'Identifier')));
  const head = maybeNode(at, 'params') === undefined ? named : signature(cx, at, 'Net');
  const alias = maybeNode(at, 'alias');
  if (alias === undefined) return concat(head, space, body(cx, node(at, 'body')));
  const value = expression(cx, node(alias, 'expr'), true);
  const equals = concat(head, space, cx.token(token(alias, 'Equals')), space, value);
  const file = maybeToken(alias, 'weightsFile');
  if (file === undefined) return equals;
  const weights = concat(cx.token(token(alias, 'Weights')), space, cx.token(file));
  const table = maybeToken(alias, 'renameTable');
  const renamed =
    table === undefined ? [] : [concat(cx.token(token(alias, 'Rename')), space, cx.token(table))];
  return indent({ by: INDENT }, fill([equals, weights, ...renamed]));
}
