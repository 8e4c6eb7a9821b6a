import type { IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
import { EOF } from './chevrotain.ts';
import * as t from './tokens.ts';

/** What each rule lacks when it meets another token, in the words of a reader. */
const expectations: Readonly<Record<string, string>> = {
  'group RParen': '`)` to close the parenthesis',
  'args LParen': '`(` and the arguments',
  'args RParen': '`)` to close the arguments',
  'params LParen': '`(` and the parameters',
  'params RParen': '`)` to close the parameters',
  'tuple Identifier': 'a name to bind',
  'tuple RParen': '`)` to close the names',
  'tuple Equals': '`=` and a value after the names',
  'list RBracket': '`]` to close the list',
  'index LBracket': 'the index in brackets',
  'index RBracket': '`]` to close the index',
  'type Identifier': 'a type',
  'type RBracket': '`]` to close the shape',
  'body LBrace': '`{` and the body',
  'repeatStage LBrace': '`{` and the stages to repeat',
  'repeatStage RBrace': '`}` to close the `repeat`',
  'branch LBrace': '`{` after the condition',
  'branch RBrace': '`}` to close the branch',
  'branch If': '`if`',
  'conditional Else': '`else`, which every `if` needs',
  'conditional LBrace': '`{` after `else`',
  'conditional RBrace': '`}` to close the branch',
  'importDeclaration Identifier': 'a name to import',
  'importDeclaration RBrace': '`}` to close the names',
  'importDeclaration From': '`from` and a file',
  'importDeclaration StringLiteral': 'the file to import from, as a string',
  'constDeclaration Equals': '`=` and the value of the constant',
  'fnDeclaration Arrow': '`->` and the type of the result',
  'blockDeclaration Arrow': '`->` and the type of the result',
  'netDeclaration Arrow': '`->` and the type of the result',
  'opDeclaration Arrow': '`->` and the name of the result',
  'opDeclaration Identifier': 'a name',
  'opDeclaration LBrace': '`{` and the formula',
  'opDeclaration RBrace': '`}` after the formula',
  'opDeclaration RParen': '`)` after the indices',
  'param Colon': '`:` and a type after the name of the parameter',
  'declare Colon': '`:` and a type after the name',
  'minimize Over': '`over` and what to update',
  'target By': '`by` and how to update',
  'step NumberLiteral': 'a number of batches',
  'alias StringLiteral': 'the name of a file, as a string',
  'scan Identifier': 'the name of the element',
  'scan In': '`in` and the tensor to scan',
  'scan Carry': '`carry` and the state of the loop',
  'standalone EOF': 'the end of the expression',
};

/** Rules that read a list, where a missing comma is likelier than a missing bracket. */
const lists: Readonly<Record<string, string>> = {
  args: 'the arguments',
  params: 'the parameters',
  list: 'the list',
  index: 'the index',
  type: 'the shape',
};

const MAX_IMAGE = 30;

/** How a message names the token that was met. */
export function describe(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  const cut = token.image.length > MAX_IMAGE;
  const image = cut ? `${token.image.slice(0, MAX_IMAGE)}…` : token.image;
  if (token.tokenType === t.StringLiteral || token.tokenType === t.UnterminatedString) {
    return `the string ${image}`;
  }
  return `\`${image}\``;
}

/** How a message names the kind of token that is missing. */
function describeType(type: TokenType): string {
  if (type === t.Identifier) return 'a name';
  if (type === t.NumberLiteral) return 'a number';
  if (type === t.StringLiteral) return 'a string';
  return `\`${typeof type.PATTERN === 'string' ? type.PATTERN : type.name}\``;
}

function beginsItem(token: IToken): boolean {
  const { tokenType } = token;
  return (
    tokenType === t.Identifier ||
    tokenType === t.NumberLiteral ||
    tokenType === t.StringLiteral ||
    tokenType === t.Ellipsis ||
    tokenType === t.If
  );
}

/** The messages of the parser. Chevrotain's own list token names, which only its author understands. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage({ expected, actual, previous, ruleName }) {
    const list = lists[ruleName];
    const closes = expected === t.RParen || expected === t.RBracket;
    const sameLine = previous.endLine === actual.startLine;
    if (list !== undefined && closes && sameLine && beginsItem(actual)) {
      return `expected \`,\` or ${describeType(expected)} in ${list}, found ${describe(actual)}`;
    }
    const what = expectations[`${ruleName} ${expected.name}`] ?? describeType(expected);
    if (expected === t.Identifier && reserved.has(actual.tokenType)) {
      return `expected ${what}, but ${describe(actual)} is a keyword`;
    }
    return `expected ${what}, found ${describe(actual)}`;
  },
  buildNotAllInputParsedMessage({ firstRedundant }) {
    return `expected the end of the file, found ${describe(firstRedundant)}`;
  },
  buildNoViableAltMessage({ actual, previous, customUserDescription, ruleName }) {
    const found = actual[0] === undefined ? 'the end of the file' : describe(actual[0]);
    const after = ruleName === 'binding' ? ` after the name ${describe(previous)}` : '';
    return `expected ${customUserDescription ?? 'something else'}${after}, found ${found}`;
  },
  buildEarlyExitMessage({ actual, customUserDescription }) {
    const found = actual[0] === undefined ? 'the end of the file' : describe(actual[0]);
    return `expected ${customUserDescription ?? 'an item'}, found ${found}`;
  },
};

const reserved: ReadonlySet<TokenType> = new Set([t.Or, t.And, t.Not, t.Infer, t.If, t.Else, t.Scan]);

/** Rules in which `=` after a value can only be meant as a comparison. */
const valuesOnly: ReadonlySet<string> = new Set(['branch', 'group', 'args', 'list']);

/** Advice for the slips that people bring along from other languages. */
export function hintFor(rule: string, token: IToken, previous?: IToken, next?: IToken): string | undefined {
  const { tokenType, image } = token;
  if (tokenType === t.Dot && next?.tokenType === t.NumberLiteral) return `write \`0.${next.image}\``;
  if (image === '*' && previous?.image === '*') return 'the power operator is `^`';
  if ((image === '*' || image === '/') && previous?.image === '/') return 'comments begin with `//`';
  if (rule === 'binding') return 'a statement gives its value a name, as in `y = f(x)`';
  if (rule === 'tuple') return 'a line that begins with `(` binds names, as in `(a, b) = f(x)`';
  if (reserved.has(tokenType) && next?.tokenType === t.Equals) return `${describe(token)} cannot be a name`;
  if (tokenType === t.LeftArrow) return '`<-` updates a state; to compare with a negative number write `< -`';
  if (tokenType === t.Equals && valuesOnly.has(rule)) return 'equality is written `==`';
  return undefined;
}

/** Advice for a character that the language does not use. */
export function hintForCharacter(text: string): string | undefined {
  if (text.startsWith("'")) return 'strings are written with `"`';
  if (text.startsWith('!')) return 'negation is written `not`';
  if (text.startsWith('&')) return 'conjunction is written `and`';
  if (text.startsWith('|')) return 'disjunction is written `or`';
  if (text.startsWith(';')) return 'statements need no `;`';
  if (text.startsWith('#')) return 'comments begin with `//`';
  if (text.startsWith('~')) return 'floor division is written `~/`';
  return undefined;
}
