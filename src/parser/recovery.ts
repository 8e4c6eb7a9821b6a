import type { CstNode, IToken, ParserMethod, TokenType } from 'chevrotain';
import { CstParser, EOF, isRecognitionException } from './chevrotain.ts';
import { messages } from './messages.ts';
import * as t from './tokens.ts';

/** After so many the reader has lost the thread, and so has the parser. */
export const MAX_SYNTAX_ERRORS = 20;

/** A rule without arguments, as `RULE` returns it. */
export type Rule = ParserMethod<[], CstNode>;

/** A body without its closing brace: where it opened and what stood in place of the brace. */
export interface UnclosedBody {
  readonly open: IToken;
  readonly found: IToken;
}

const declarationWords: ReadonlySet<TokenType> = new Set([
  t.Import,
  t.Const,
  t.Fn,
  t.Op,
  t.Block,
  t.Net,
  t.Train,
]);
const introducingWords: ReadonlySet<TokenType> = new Set([t.Data, t.ParamWord, t.State, t.Metric, t.Step]);
const leadingWords: ReadonlySet<TokenType> = new Set([t.Minimize, t.Repeat, t.Return, t.Yield]);
/** After these a line break falls into the middle of a statement. */
const joins: ReadonlySet<TokenType> = new Set([
  t.Arrow,
  t.Comma,
  t.LParen,
  t.LBracket,
  t.Equals,
  t.LeftArrow,
  t.Colon,
  t.Caret,
  t.Dot,
]);

/**
 * Error recovery by statement and by declaration. Chevrotain's own is off: as every keyword is also a name, its
 * follow sets would resume at almost any word. Here a failed statement is left out as a whole, and the next one is
 * known by its look: first on its line, `name =`, or a keyword and a name.
 */
export abstract class Recovery extends CstParser {
  private unclosedBodies: UnclosedBody[] = [];
  private failures = 0;
  /** Index of each token, built at the first error. */
  private indices: Map<IToken, number> | undefined;

  constructor() {
    super(t.allTokens, {
      maxLookahead: 1,
      recoveryEnabled: false,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messages,
    });
  }

  /** Sets the tokens of the next run and forgets the last one. */
  start(tokens: IToken[]): void {
    this.input = tokens;
    this.unclosedBodies = [];
    this.failures = 0;
    this.indices = undefined;
  }

  get unclosed(): readonly UnclosedBody[] {
    return this.unclosedBodies;
  }

  protected at(type: TokenType, ahead = 1): boolean {
    const token = this.LA(ahead);
    return token.tokenType === type || (type.categoryMatchesMap?.[token.tokenTypeIdx] ?? false);
  }

  /** True while an item follows; while Chevrotain records the grammar, no token is there to ask. */
  protected more(condition: () => boolean): boolean {
    return this.RECORDING_PHASE ? false : condition();
  }

  /** Runs one rule; after a syntax error leaves the tokens that belonged to it to `skip`. */
  protected recovering(rule: () => void, skip: (start: IToken) => void): void {
    const start = this.LA(1);
    try {
      rule();
    } catch (error) {
      if (!(error instanceof Error) || !isRecognitionException(error)) throw error;
      this.failures++;
      if (this.failures >= MAX_SYNTAX_ERRORS) {
        while (!this.at(EOF)) this.SKIP_TOKEN();
      } else {
        skip(start);
      }
    }
  }

  /** Notes a body that something else than its brace ended, and goes on as if the brace were there. */
  protected noteUnclosed(open: IToken): void {
    if (this.failures >= MAX_SYNTAX_ERRORS) return;
    this.unclosedBodies.push({ open, found: this.LA(1) });
  }

  protected skipDeclaration(start: IToken): void {
    if (this.LA(1) === start && !this.at(EOF)) this.SKIP_TOKEN();
    while (!this.at(EOF) && !this.atDeclaration()) this.SKIP_TOKEN();
  }

  protected skipStatement(start: IToken): void {
    // Braces that the statement itself had opened hold no statements; those skipped here may.
    let opened = this.bracesSince(start);
    let skipped = 0;
    const wrong = this.LA(1);
    if (wrong === start && !this.at(EOF)) {
      if (this.at(t.LBrace)) skipped++;
      this.SKIP_TOKEN();
    }
    while (!this.at(EOF) && !this.atDeclaration()) {
      if (skipped === 0 && this.atStatement(wrong)) return;
      if (this.at(t.LBrace)) skipped++;
      if (this.at(t.RBrace)) {
        if (skipped > 0) skipped--;
        else if (opened > 0) opened--;
        else return;
      }
      this.SKIP_TOKEN();
    }
  }

  private bracesSince(start: IToken): number {
    this.indices ??= new Map(this.input.map((token, index) => [token, index]));
    const first = this.indices.get(start) ?? 0;
    const end = this.indices.get(this.LA(1)) ?? this.input.length;
    let open = 0;
    for (const token of this.input.slice(first, end)) {
      if (token.tokenType === t.LBrace) open++;
      else if (token.tokenType === t.RBrace && open > 0) open--;
    }
    return open;
  }

  /** `net G`, first on its line: two names side by side occur nowhere inside a statement of that look. */
  protected atDeclaration(): boolean {
    if (!this.firstOnLine() || !declarationWords.has(this.LA(1).tokenType)) return false;
    return this.at(t.Identifier, 2) || (this.at(t.Import) && this.at(t.LBrace, 2));
  }

  /** Whether a statement seems to begin here. An operator that was itself `wrong` joins nothing to its line. */
  private atStatement(wrong: IToken): boolean {
    const previous = this.LA(0);
    if (!this.firstOnLine() || joins.has(previous.tokenType)) return false;
    if (previous !== wrong && this.isOperator(previous.tokenType)) return false;
    const type = this.LA(1).tokenType;
    if (this.at(t.Identifier) && (this.at(t.Equals, 2) || this.at(t.LeftArrow, 2))) return true;
    if (introducingWords.has(type)) return this.at(t.Identifier, 2);
    return leadingWords.has(type) || this.atTuple();
  }

  /** `(a, b) =` */
  private atTuple(): boolean {
    if (!this.at(t.LParen)) return false;
    let at = 2;
    while (this.at(t.Identifier, at) && this.at(t.Comma, at + 1)) at += 2;
    return this.at(t.Identifier, at) && this.at(t.RParen, at + 1) && this.at(t.Equals, at + 2);
  }

  private isOperator(type: TokenType): boolean {
    return (type.CATEGORIES ?? []).some(c => c === t.ArithmeticOperator || c === t.LogicOperator);
  }

  protected firstOnLine(): boolean {
    const previous = this.LA(0);
    // Before the first token Chevrotain hands out its end token, which has no line.
    return !((previous.endLine ?? Number.NaN) >= (this.LA(1).startLine ?? Number.NaN));
  }
}
