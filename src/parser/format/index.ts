import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { nestingTooDeep } from '../../support/errors/syntax.ts';
import { InternalError } from '../../support/internal-error.ts';
import type { Source } from '../../support/source.ts';
import { nodes } from '../cst.ts';
import { MAX_NESTING } from '../limits.ts';
import { type ParsedText, parseText } from '../parse.ts';
import { Layout } from './context.ts';
import { declaration } from './declarations.ts';
import { line, sequenceOf } from './doc.ts';
import { printDoc } from './print.ts';
import { sameTree } from './same.ts';
import { sequence } from './statements.ts';

export interface Formatted {
  /** Absent where the text has syntax errors. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Writes a program in the one style: two columns of indentation, lines of at most 110 columns, one blank around
 * operators, at most one empty line, comments where they were. Formatting the result again changes nothing, and it
 * has the same tree. Line breaks between stages of a pipe, rows of a list, and terms of a sum are the writer's.
 */
export function format(source: Source): Formatted {
  const parsed = parseText(source);
  const { root, tokens, comments, diagnostics } = parsed;
  if (root === undefined || diagnostics.some(d => d.severity === 'error')) return { diagnostics };
  let text: string;
  try {
    const cx = new Layout(tokens, comments, source.text.length);
    const lines = sequence(cx, nodes(root, 'declaration'), declaration, source.text.length);
    text = printDoc(sequenceOf(lines.flatMap(({ doc, blank }, i) => (i === 0 ? [doc] : [line(blank), doc]))));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { diagnostics: [nestingTooDeep({ source, start: 0, end: source.text.length }, MAX_NESTING)] };
  }
  if (text === source.text) return { text, diagnostics };
  const again = parseText({ name: source.name, text });
  // Indentation may take a text past the limit of its length.
  if (again.diagnostics.length > diagnostics.length) return { diagnostics: again.diagnostics };
  if (!sameText(parsed, again)) throw new InternalError('the formatted text is another program', text);
  return { text, diagnostics };
}

/** Same tokens, same comments, same tree: tokens alone could be read otherwise after other line breaks. */
function sameText(a: ParsedText, b: ParsedText): boolean {
  const images = (list: readonly IToken[]): string => list.map(each => each.image.trimEnd()).join('\n');
  return (
    images(a.tokens) === images(b.tokens) &&
    images(a.comments) === images(b.comments) &&
    sameTree(a.file, b.file)
  );
}
