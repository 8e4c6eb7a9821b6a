import type { IToken } from 'chevrotain';
import { precedenceOf } from '../operators.ts';
import type { Layout } from './context.ts';
import { choice, concat, type Doc, fill, indent, space } from './doc.ts';

/** An operand as it is laid out, and where it starts in the source. */
export interface Link {
  readonly doc: Doc;
  readonly start: number;
}

/**
 * `a + b * c`: lines break before the operators that bind weakest, where the source breaks one of those or there is
 * no room. `hangs`: operands stand one below the other, operators to the left of them, which needs the columns of
 * `x = ` before the first.
 */
export function chain(
  cx: Layout,
  operands: readonly Link[],
  operators: readonly IToken[],
  hangs: boolean,
): Doc {
  if (operators.length === 0) return operands[0]!.doc;
  const weakest = Math.min(...operators.map(o => precedenceOf(o.image)));
  const items: Doc[] = [];
  const hard: boolean[] = [];
  let from = 0;
  for (let i = 0; i <= operators.length; i++) {
    const operator = operators[i];
    if (operator !== undefined && precedenceOf(operator.image) !== weakest) continue;
    const segment = chain(cx, operands.slice(from, i + 1), operators.slice(from, i), false);
    const before = from > 0 ? operators[from - 1] : undefined;
    const gap = before?.image === '..' ? [] : [space];
    items.push(before === undefined ? segment : concat(cx.token(before), ...gap, segment));
    hard.push(before !== undefined && (cx.isFirst(before.startOffset) || cx.isFirst(operands[from]!.start)));
    from = i + 1;
  }
  // Ranges do not chain, so there is one `..` and nothing to fill.
  if (operators.some(o => o.image === '..' && precedenceOf('..') === weakest)) return concat(...items);
  const filled = fill(items, hard);
  const back = hangs ? operators.find(o => precedenceOf(o.image) === weakest)!.image.length + 1 : 0;
  return choice(filled, place => indent({ column: Math.max(place.indent, place.column - back) }, filled), {
    lead: filled.lead,
    forced: !Number.isFinite(filled.width),
  });
}
