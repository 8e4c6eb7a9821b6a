import type { CstNode, IRecognitionException, IToken } from 'chevrotain';
import type { Diagnostic } from '../support/diagnostic.ts';
import {
  nestingTooDeep,
  unexpectedCharacter,
  unexpectedToken,
  unterminatedString,
} from '../support/errors/syntax.ts';
import type { Source, Span } from '../support/source.ts';
import type { Expr, File } from './ast.ts';
import { EOF } from './chevrotain.ts';
import { Grammar } from './grammar.ts';
import { beyondLimits, MAX_NESTING } from './limits.ts';
import { describe, hintFor, hintForCharacter } from './messages.ts';
import { MAX_SYNTAX_ERRORS } from './recovery.ts';
import { toExpression, toFile } from './to-ast.ts';
import {
  LBrace,
  LBracket,
  LParen,
  RBrace,
  RBracket,
  RParen,
  tokenize,
  Unknown,
  UnterminatedString,
} from './tokens.ts';

let grammar = new Grammar();

/** Reads a file. Never throws: what is wrong with the text becomes diagnostics, and what is sound the tree. */
export function parse(source: Source): { file: File; diagnostics: Diagnostic[] } {
  const { file, diagnostics } = parseText(source);
  return { file, diagnostics };
}

/** A file with what the tree leaves out: tokens, comments, and the nodes of the grammar. */
export interface ParsedText {
  readonly file: File;
  readonly diagnostics: Diagnostic[];
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  /** Absent where the text is beyond the limits. */
  readonly root: CstNode | undefined;
}

/** As `parse`, for those who need the text itself. */
export function parseText(source: Source): ParsedText {
  const empty: File = {
    source,
    imports: [],
    declarations: [],
    span: { source, start: 0, end: source.text.length },
  };
  const { result, ...rest } = run(source, () => grammar.file(), toFile);
  return { file: result ?? empty, ...rest };
}

/** Reads an expression that stands alone, such as the value of `-D name=value`. */
export function parseExpression(source: Source): { expr: Expr | undefined; diagnostics: Diagnostic[] } {
  const { result, diagnostics } = run(source, () => grammar.standalone(), toExpression);
  return { expr: result, diagnostics };
}

type Build<T> = (source: Source, root: CstNode, report: (d: Diagnostic) => void) => T;

function run<T>(source: Source, rule: () => CstNode | undefined, build: Build<T>) {
  const limit = beyondLimits(source);
  if (limit !== undefined) {
    return { result: undefined, diagnostics: [limit], tokens: [], comments: [], root: undefined };
  }
  const { tokens, comments } = tokenize(source.text);
  const diagnostics = wrongTokens(source, tokens);
  let result: T | undefined;
  let root: CstNode | undefined;
  try {
    grammar.start(tokens);
    root = rule();
    diagnostics.push(...syntaxErrors(source, tokens));
    if (root !== undefined) result = build(source, root, d => diagnostics.push(d));
  } catch (error) {
    // Recursion that the limits did not foresee, such as `if` in the conditions of `if`.
    if (!(error instanceof RangeError)) throw error;
    // A parser that lost its stack half-way has not put its own state in order.
    grammar = new Grammar();
    diagnostics.push(nestingTooDeep({ source, start: 0, end: source.text.length }, MAX_NESTING));
  }
  grammar.start([]);
  return { result, diagnostics: inOrder(diagnostics), tokens, comments, root };
}

function wrongTokens(source: Source, tokens: readonly IToken[]): Diagnostic[] {
  return (
    tokens
      .filter(isWrong)
      // The quotes of 'text' are one mistake.
      .filter(
        (token, i, all) => token.image !== all[i - 1]?.image || token.startLine !== all[i - 1]?.startLine,
      )
      .slice(0, MAX_SYNTAX_ERRORS)
      .map(token => {
        const span = { source, start: token.startOffset, end: token.startOffset + token.image.length };
        if (token.tokenType === UnterminatedString) return unterminatedString(span);
        return unexpectedCharacter(span, token.image, hintForCharacter(token.image));
      })
  );
}

function isWrong(token: IToken | undefined): boolean {
  return token?.tokenType === Unknown || token?.tokenType === UnterminatedString;
}

function syntaxErrors(source: Source, tokens: readonly IToken[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const { token, message, context } of grammar.errors) {
    const at = token.tokenType === EOF ? tokens.length : tokens.indexOf(token);
    // What follows a token that is reported already is its consequence.
    if (isWrong(tokens[at]) || isWrong(tokens[at - 1])) continue;
    const hint = hintFor(context.ruleStack.at(-1) ?? '', token, tokens[at - 1], tokens[at + 1]);
    const opened = missesCloser(message) ? opener(source, tokens, at) : undefined;
    diagnostics.push(unexpectedToken(spanAt(source, tokens, at), message, { hint, opened }));
  }
  for (const { open, found } of grammar.unclosed) {
    const at = found.tokenType === EOF ? tokens.length : tokens.indexOf(found);
    const opened = { source, start: open.startOffset, end: open.startOffset + 1 };
    const message = `expected \`}\` to close the body, found ${describe(found)}`;
    diagnostics.push(unexpectedToken(spanAt(source, tokens, at), message, { opened }));
  }
  return diagnostics;
}

/** The span of a token; behind the last one, an empty span at its end. */
function spanAt(source: Source, tokens: readonly IToken[], at: number): Span {
  const token = tokens[at];
  if (token !== undefined) {
    return { source, start: token.startOffset, end: token.startOffset + token.image.length };
  }
  const last = tokens.at(-1);
  const end = last === undefined ? 0 : last.startOffset + last.image.length;
  return { source, start: end, end };
}

function missesCloser(message: IRecognitionException['message']): boolean {
  return /^expected `[)\]}]` to close/.test(message);
}

/** The bracket still open at a token, if it stands on an earlier line. */
function opener(source: Source, tokens: readonly IToken[], at: number): Span | undefined {
  let closed = 0;
  for (let i = at - 1; i >= 0; i--) {
    const token = tokens[i]!;
    if (token.tokenType === RParen || token.tokenType === RBracket || token.tokenType === RBrace) closed++;
    if (token.tokenType !== LParen && token.tokenType !== LBracket && token.tokenType !== LBrace) continue;
    if (closed-- > 0) continue;
    const sameLine = token.startLine === tokens[at]?.startLine;
    return sameLine ? undefined : { source, start: token.startOffset, end: token.startOffset + 1 };
  }
  return undefined;
}

/** Sorted by place; of several at one place only the first, which caused the others. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<number>();
  return diagnostics
    .toSorted((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))
    .filter(({ span }) => span === undefined || (!seen.has(span.start) && seen.add(span.start)))
    .slice(0, MAX_SYNTAX_ERRORS);
}
