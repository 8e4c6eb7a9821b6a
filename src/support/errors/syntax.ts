import type { Diagnostic } from '../diagnostic.ts';
import type { Source, Span } from '../source.ts';
import type { WrongByte } from '../utf8.ts';

/** E0101: a character that begins no token. */
export function unexpectedCharacter(span: Span, text: string, hint?: string): Diagnostic {
  const message = text.length > 2 ? `unexpected characters \`${text}\`` : `unexpected character \`${text}\``;
  return error('E0101', span, message, { hint });
}

/** E0101: a string that its line ends before its quote does. */
export function unterminatedString(span: Span): Diagnostic {
  return error('E0101', span, 'this string has no closing `"`', { label: 'a string ends on its own line' });
}

/** E0101: a backslash before a character that needs none. */
export function unknownEscape(span: Span, text: string): Diagnostic {
  return error('E0101', span, `unknown escape \`${text}\` in a string`, {
    hint: 'the escapes are `\\n`, `\\t`, `\\r`, `\\"` and `\\\\`',
  });
}

/** E0101: a number that no 64-bit float holds. */
export function numberOutOfRange(span: Span): Diagnostic {
  return error('E0101', span, 'this number is too large');
}

/** E0101: a whole number that arithmetic would round. */
export function integerOutOfRange(span: Span): Diagnostic {
  return error('E0101', span, 'this whole number is too large: at most 9007199254740991, which is 2^53 - 1');
}

export interface SyntaxExtras {
  readonly label?: string | undefined;
  readonly hint?: string | undefined;
  /** Where the bracket was opened that is not closed. */
  readonly opened?: Span | undefined;
}

/** E0102: something stands where the grammar wants something else; `message` says both. */
export function unexpectedToken(span: Span, message: string, extras: SyntaxExtras = {}): Diagnostic {
  return error('E0102', span, message, extras);
}

/** E0102: a text of nothing but blanks and comments. */
export function emptyFile(source: Source): Diagnostic {
  const span = { source, start: source.text.length, end: source.text.length };
  return error('E0102', span, 'the file declares nothing', {
    hint: 'a program has at least a net, as in `net A(x: f32[N, 4]) -> f32[N, 2] { return x -> dense(2) }`',
  });
}

/** E0102: `a < b < c`, `a..b..c`. */
export function chainedOperator(span: Span, operator: string): Diagnostic {
  if (operator === '..') return error('E0102', span, 'a range cannot be the end of another range');
  return error('E0102', span, `\`${operator}\` cannot follow another comparison`, {
    hint: 'write `a < b and b < c`',
  });
}

/** E0102: an `op` that reduces with a function of another name. */
export function unknownReduction(span: Span, name: string): Diagnostic {
  return error('E0102', span, `\`${name}\` is no reduction`, {
    hint: 'an `op` reduces with `sum`, `max`, `min` or `prod`',
  });
}

/** E0103: more brackets or operators inside one another than the compiler follows. */
export function nestingTooDeep(span: Span, limit: number): Diagnostic {
  return error('E0103', span, 'nesting too deep', {
    label: `more than ${limit} levels`,
    hint: 'give parts of it names',
  });
}

/** E0103: a text that nobody wrote by hand. */
export function textTooLong(span: Span, length: number, limit: number): Diagnostic {
  const megabytes = (n: number) => `${Math.ceil(n / 1e5) / 10} MB`;
  return error('E0103', span, `the text is too long: ${megabytes(length)}, at most ${megabytes(limit)}`);
}

/** E0112: bytes that are no UTF-8. The source has marks of replacement in their place. */
export function notUtf8(source: Source, { at, offset, byte }: WrongByte): Diagnostic {
  const hex =
    byte === undefined ? 'the text ends within a character' : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  const span = { source, start: at, end: at + 1 };
  return error('E0112', span, `this is not UTF-8 text: ${hex} at offset ${offset}`, {
    label: 'the first that cannot be read',
    hint: 'save the file as UTF-8',
  });
}

function error(code: string, span: Span, message: string, extras: SyntaxExtras = {}): Diagnostic {
  return {
    code,
    severity: 'error',
    message,
    span,
    ...(extras.label === undefined ? {} : { label: extras.label }),
    ...(extras.opened === undefined ? {} : { notes: [{ message: 'opened here', span: extras.opened }] }),
    ...(extras.hint === undefined ? {} : { hint: extras.hint }),
  };
}
