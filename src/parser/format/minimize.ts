import type { CstNode } from 'chevrotain';
import { node, nodes, token, tokens } from '../cst.ts';
import { type Layout, startOf } from './context.ts';
import { choice, concat, type Doc, fill, INDENT, indent, line, type Place, space, WIDTH } from './doc.ts';
import { expression, post } from './expressions.ts';

/** Further to the right than this, targets begin on the next line. */
const FAR = 50;

/**
 * `minimize loss over A by sgd(…)`. Breaks before `over` and before `by` stay where the source has them; where
 * there is no room, the first of `by` and `over` that makes it is broken. Several targets stand one below the other.
 */
export function minimize(cx: Layout, at: CstNode): Doc {
  const value = concat(cx.token(token(at, 'Minimize')), space, expression(cx, node(at, 'expr'), true));
  const overToken = token(at, 'Over');
  const over = cx.token(overToken);
  const found = nodes(at, 'target');
  const targets = found.map(each => target(cx, each));
  const commas = tokens(at, 'Comma');
  const broken = cx.isFirst(overToken.startOffset) || cx.isFirst(startOf(found[0]!));
  const apart = found.some((each, i) => i > 0 && cx.isFirst(startOf(each)));
  const byFirst = targets.length === 1 && targets[0]!.first;
  const joined = targets.map(each => concat(each.what, space, each.by));
  const flat = concat(value, space, over, space, ...between(cx.separated(joined, commas)));

  const layout = (place: Place): Doc => {
    const single = targets.length === 1 ? targets[0] : undefined;
    const room = WIDTH - place.indent;
    const start = concat(value, space, over, space);
    const startFits = single && start.width + single.what.width <= room;
    const below = broken || over.begins || value.ends || !startFits;
    if (single === undefined) {
      const column = start.width + place.column;
      const list = concat(
        ...cx.separated(joined, commas).flatMap((each, i) => (i === 0 ? [each] : [line(), each])),
      );
      return broken || !Number.isFinite(start.width) || column > FAR
        ? concat(value, indent({ by: INDENT }, concat(line(), over, space, indent('here', list))))
        : concat(start, indent('here', list));
    }
    if (!below) return concat(start, single.what, indent({ by: INDENT }, concat(line(), single.by)));
    const oneRow = concat(over, space, single.what, space, single.by);
    const fits = oneRow.width + INDENT <= room && !byFirst;
    const rest = fits
      ? oneRow
      : concat(over, space, single.what, indent({ by: INDENT }, concat(line(), single.by)));
    return concat(value, indent({ by: INDENT }, concat(line(), rest)));
  };
  return choice(flat, layout, { lead: value.lead, forced: broken || apart || byFirst });
}

function between(items: readonly Doc[]): Doc[] {
  return items.flatMap((item, i) => (i === 0 ? [item] : [space, item]));
}

interface TargetParts {
  readonly what: Doc;
  readonly by: Doc;
  /** The source begins a line with `by`. */
  readonly first: boolean;
}

function target(cx: Layout, at: CstNode): TargetParts {
  const what = cx.separated(
    nodes(at, 'post').map(each => post(cx, each)),
    tokens(at, 'Comma'),
  );
  const word = token(at, 'By');
  return {
    what: fill(what),
    by: concat(cx.token(word), space, expression(cx, node(at, 'expr'))),
    first: cx.isFirst(word.startOffset),
  };
}
