import type { IToken } from 'chevrotain';
import { integerOutOfRange, numberOutOfRange, unknownEscape } from '../support/errors/syntax.ts';
import type { Expr } from './ast.ts';
import { type Context, spanOfToken } from './cst.ts';

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' };

export function numberLiteral(cx: Context, at: IToken): Expr {
  const span = spanOfToken(cx, at);
  const value = Number(at.image);
  const isFloat = /[.eE]/.test(at.image);
  if (!Number.isFinite(value)) cx.report(numberOutOfRange(span));
  else if (!isFloat && !Number.isSafeInteger(value)) cx.report(integerOutOfRange(span));
  return { kind: 'number', value, isFloat, span };
}

/** The value of a string token, closed or not. */
export function stringValue(cx: Context, at: IToken): string {
  const { image } = at;
  let value = '';
  for (let i = 1; i < image.length; i++) {
    const character = image.charAt(i);
    if (character === '"') break;
    if (character !== '\\') {
      value += character;
      continue;
    }
    i++;
    const meant = escapes[image.charAt(i)];
    if (meant === undefined && i < image.length) {
      const start = at.startOffset + i - 1;
      cx.report(unknownEscape({ source: cx.source, start, end: start + 2 }, image.slice(i - 1, i + 1)));
    }
    value += meant ?? '';
  }
  return value;
}
