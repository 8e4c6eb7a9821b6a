import type { IToken, TokenType } from 'chevrotain';
import { createToken, Lexer } from './chevrotain.ts';

/** Every name. Contextual keywords are of this category, so they stay usable as names. */
export const Identifier = createToken({ name: 'Identifier', pattern: /[A-Za-z_][A-Za-z0-9_]*/ });

const words: TokenType[] = [];

/** A keyword where the grammar asks for it and a name everywhere else. */
function contextual(word: string): TokenType {
  return keyword(word, [Identifier]);
}

/** A word that can never be a name, since it begins or joins expressions. */
function keyword(word: string, categories: TokenType[] = []): TokenType {
  const token = createToken({
    name: word.charAt(0).toUpperCase() + word.slice(1),
    pattern: word,
    longer_alt: Identifier,
    categories,
  });
  words.push(token);
  return token;
}

export const Import = contextual('import');
export const From = contextual('from');
export const Const = contextual('const');
export const Fn = contextual('fn');
export const Op = contextual('op');
export const Block = contextual('block');
export const Net = contextual('net');
export const Train = contextual('train');
export const Weights = contextual('weights');
export const Rename = contextual('rename');
export const Data = contextual('data');
export const ParamWord = contextual('param');
export const State = contextual('state');
export const Metric = contextual('metric');
export const Step = contextual('step');
export const Every = contextual('every');
export const Minimize = contextual('minimize');
export const Over = contextual('over');
export const By = contextual('by');
export const Repeat = contextual('repeat');
export const In = contextual('in');
export const Carry = contextual('carry');
export const Return = contextual('return');
export const Yield = contextual('yield');

/** Operators between two operands of a number, and those between two conditions. */
export const ArithmeticOperator = createToken({ name: 'ArithmeticOperator', pattern: Lexer.NA });
export const LogicOperator = createToken({ name: 'LogicOperator', pattern: Lexer.NA });

export const Or = keyword('or', [LogicOperator]);
export const And = keyword('and', [LogicOperator]);
export const Not = keyword('not');
export const Infer = keyword('infer');
export const If = keyword('if');
export const Else = keyword('else');
export const Scan = keyword('scan');

const symbols: TokenType[] = [];

function symbol(name: string, pattern: string, categories: TokenType[] = []): TokenType {
  const token = createToken({ name, pattern, categories });
  symbols.push(token);
  return token;
}

// Chevrotain takes the first pattern that matches, so the longer symbol stands first.
export const Arrow = symbol('Arrow', '->');
export const LeftArrow = symbol('LeftArrow', '<-');
symbol('FloorDivide', '~/', [ArithmeticOperator]);
export const Ellipsis = symbol('Ellipsis', '...');
symbol('DotDot', '..', [LogicOperator]);
export const Dot = symbol('Dot', '.');
symbol('EqualEqual', '==', [LogicOperator]);
symbol('NotEqual', '!=', [LogicOperator]);
symbol('LessEqual', '<=', [LogicOperator]);
symbol('GreaterEqual', '>=', [LogicOperator]);
symbol('Less', '<', [LogicOperator]);
symbol('Greater', '>', [LogicOperator]);
export const Equals = symbol('Equals', '=');
symbol('Plus', '+', [ArithmeticOperator]);
export const Minus = symbol('Minus', '-', [ArithmeticOperator]);
symbol('Star', '*', [ArithmeticOperator]);
symbol('Slash', '/', [ArithmeticOperator]);
symbol('Percent', '%', [ArithmeticOperator]);
symbol('At', '@', [ArithmeticOperator]);
export const Caret = symbol('Caret', '^');
export const LParen = symbol('LParen', '(');
export const RParen = symbol('RParen', ')');
export const LBracket = symbol('LBracket', '[');
export const RBracket = symbol('RBracket', ']');
export const LBrace = symbol('LBrace', '{');
export const RBrace = symbol('RBrace', '}');
export const Comma = symbol('Comma', ',');
export const Colon = symbol('Colon', ':');

/** `.5` and `1.` are no numbers, so that `0..4` needs no blanks. */
export const NumberLiteral = createToken({
  name: 'NumberLiteral',
  pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/,
});

export const StringLiteral = createToken({
  name: 'StringLiteral',
  pattern: /"[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*"/,
});

/** Ends with its line. It counts as a string so that the line around it still parses. */
export const UnterminatedString = createToken({
  name: 'UnterminatedString',
  pattern: /"[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*\\?/,
  categories: [StringLiteral],
});

/** A run of characters that begin nothing. A token, so that the parser fails there and not somewhere behind. */
export const Unknown = createToken({
  name: 'Unknown',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every character belongs to some token
  pattern: /[\u0080-\uffff]+|[!#$&';?\\`|~\x00-\x08\x0b\x0e-\x1f\x7f]+/,
});

const Comment = createToken({ name: 'Comment', pattern: /\/\/[^\n\r]*/, group: 'comments' });
const WhiteSpace = createToken({
  name: 'WhiteSpace',
  pattern: /[ \t\f\u00a0\ufeff\r\n]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});

export const allTokens: TokenType[] = [
  WhiteSpace,
  Comment,
  NumberLiteral,
  StringLiteral,
  UnterminatedString,
  // Longest first: `in` would give up in favour of a name at `infer`, before `infer` is tried.
  ...words.toSorted((a, b) => b.name.length - a.name.length),
  Identifier,
  ...symbols,
  Unknown,
  ArithmeticOperator,
  LogicOperator,
];

const lexer = new Lexer(allTokens, { positionTracking: 'full', ensureOptimizations: true });

export interface Tokens {
  readonly tokens: IToken[];
  /** In order of the text; no token of the grammar refers to them. */
  readonly comments: readonly IToken[];
}

/** Splits a text into tokens. It cannot fail: what is wrong becomes `Unknown` or `UnterminatedString`. */
export function tokenize(text: string): Tokens {
  const { tokens, groups } = lexer.tokenize(text);
  return { tokens, comments: groups.comments ?? [] };
}
