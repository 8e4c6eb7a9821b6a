import { choice, concat, type Doc, fill, INDENT, indent, line, space, WIDTH } from './doc.ts';

/** Further to the right than this, items begin on the next line. */
const FAR = 0.6 * WIDTH;

/** Items in brackets: on one line, or filled lines that begin behind the opening bracket. */
export function bracketed(open: Doc, items: readonly Doc[], close: Doc, hard: readonly boolean[] = []): Doc {
  if (items.length === 0) return concat(open, close);
  const filled = fill(items, hard);
  return choice(
    concat(open, filled, close),
    place =>
      open.ends || filled.begins || close.begins || place.column > FAR
        ? concat(
            open,
            indent({ by: 2 * INDENT }, concat(line(), filled, ...(close.begins ? [line()] : []), close)),
          )
        : concat(open, indent('here', filled), close),
    { lead: open.lead + (filled.begins ? 0 : filled.lead) },
  );
}

/** Items in braces with blanks inside: `{ a, b }`. */
export function braced(open: Doc, content: Doc, close: Doc, breaks: boolean): Doc {
  const flat = concat(open, space, content, space, close);
  const inside = concat(line(), content);
  const broken = concat(open, indent({ by: INDENT }, inside), line(), close);
  return choice(flat, () => broken, { lead: open.lead, forced: breaks });
}
