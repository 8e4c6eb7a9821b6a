import type { Diagnostic } from '../support/diagnostic.ts';
import { nestingTooDeep, textTooLong } from '../support/errors/syntax.ts';
import type { Source } from '../support/source.ts';

/** Brackets inside one another. The parser takes some forty stack frames for each. */
export const MAX_NESTING = 100;
/** UTF-16 units of one text. */
export const MAX_LENGTH = 1_000_000;

/** Finds on the raw text what would exhaust the stack or the patience of the parser. */
export function beyondLimits(source: Source): Diagnostic | undefined {
  const { text } = source;
  let depth = 0;
  const length = Math.min(text.length, MAX_LENGTH);
  for (let i = 0; i < length; i++) {
    const character = text.charAt(i);
    if (character === '"') i = endOfString(text, i);
    else if (character === '/' && text.charAt(i + 1) === '/') i = endOfLine(text, i);
    else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth = Math.max(0, depth - 1);
    if (depth > MAX_NESTING) return nestingTooDeep({ source, start: i, end: i + 1 }, MAX_NESTING);
  }
  if (text.length <= MAX_LENGTH) return undefined;
  return textTooLong({ source, start: MAX_LENGTH, end: MAX_LENGTH }, text.length, MAX_LENGTH);
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '"' || character === '\n' || character === '\r') return i;
    if (character === '\\' && !'\n\r'.includes(text.charAt(i + 1))) i++;
  }
  return text.length;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}
