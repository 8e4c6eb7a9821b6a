import { describe, expect, test } from 'vitest';
import type { Expr } from '../../src/parser/ast.ts';
import { parseExpression } from '../../src/parser/parse.ts';
import { showBody, showExpr } from './show.ts';

const cases = (table: Record<string, string>) =>
  test.each(Object.entries(table))('%s', (text, tree) => expect(showExpr(text)).toBe(tree));

describe('precedence', () => {
  cases({
    '-x ^ 2': '(- (x ^ 2))',
    '2 ^ -1': '(2 ^ (- 1))',
    'a ^ b ^ c': '(a ^ (b ^ c))',
    '-a ^ -b ^ c': '(- (a ^ (- (b ^ c))))',
    'a - b - c': '((a - b) - c)',
    'a + b * c': '(a + (b * c))',
    'a ~/ b * c % d / e': '((((a ~/ b) * c) % d) / e)',
    'x @ wx + h @ wh + b': '(((x @ wx) + (h @ wh)) + b)',
    'a or b and c == d': '(a or (b and (c == d)))',
    'stride != 1 or Cin != 4 * c': '((stride != 1) or (Cin != (4 * c)))',
    '0..len(x) - 1': '(0 .. (len(x) - 1))',
    'not a and not b': '((not a) and (not b))',
    'a - -b': '(a - (- b))',
    '(a + b) * c': '((a + b) * c)',
    '64 * 2 ^ i': '(64 * (2 ^ i))',
    '(H - 1) ~/ stride + 1': '(((H - 1) ~/ stride) + 1)',
  });
});

describe('infer takes the whole value behind it', () => {
  cases({
    'infer f(x)': '(infer f(x))',
    'infer f(x).y[0] ^ 2 + 1': '(((infer f(x).y[0]) ^ 2) + 1)',
    '-mean((infer Net(jitter(image))).inception4c ^ 2)':
      '(- mean(((infer Net(jitter(image))).inception4c ^ 2)))',
    '(infer Backbone(x)).flatten': '(infer Backbone(x)).flatten',
  });
});

describe('numbers, ranges and dots', () => {
  cases({
    '0..4': '(0 .. 4)',
    '1.5': '1.5f',
    '1e-4': '0.0001f',
    '1.5..2.5': '(1.5f .. 2.5f)',
    'f.x.y': 'f.x.y',
    '[[1, 2], []]': '[[1, 2], []]',
    '"a\\n\\"b\\\\"': '"a\\n\\"b\\\\"',
  });
});

describe('calls, indices and choices', () => {
  cases({
    'f(1, axis = 2)(x)': 'f(1, axis = 2)(x)',
    'p[..., 0:B * 5]': 'p[..., 0:(B * 5)]',
    'p[..., B * 5:]': 'p[..., (B * 5):]',
    'p[:, 1, ::2, :3:4, -1]': 'p[:, 1, ::2, :3:4, (- 1)]',
    'if a { 1 } else { 2 }': '(if a then 1 else 2)',
    'if a { 1 } else if b { 2 } else if c { 3 } else { 4 }':
      '(if a then 1 else (if b then 2 else (if c then 3 else 4)))',
    'f(stride = if i == 0 { 1 } else { 2 })': 'f(stride = (if (i == 0) then 1 else 2))',
    'scan(axis = 1) xt in x carry h = zeros(N, H), c = 0 { (h, c) = cell(xt, h, c) yield h }':
      '(scan(axis = 1) xt in x carry h = zeros(N, H), c = 0 { h, c = cell(xt, h, c); yield h })',
  });
});

describe('pipes', () => {
  cases({
    'x / 255 -> shift(2)': '((x / 255) -> shift(2))',
    'x -> head: dense(10) -> relu': '(x -> head: dense(10) -> relu)',
    'x -> repeat 3 { conv(1) -> r: relu }': '(x -> repeat 3 { conv(1) -> r: relu })',
    'x -> rest: repeat layers[i] - 1 { unit(64) } -> y':
      '(x -> rest: repeat (layers[i] - 1) { unit(64) } -> y)',
    'x -> repeat i in 0..(n + 1) { f(i) }': '(x -> repeat i in (0 .. (n + 1)) { f(i) })',
    'x -> repeat (a) { repeat if c { 1 } else { 2 } { g } }':
      '(x -> repeat a { repeat (if c then 1 else 2) { g } })',
  });
});

describe('contextual keywords are names', () => {
  cases({
    'f(weights = 1, data = data, repeat = 2, in = 3)': 'f(weights = 1, data = data, repeat = 2, in = 3)',
    'net.train.over.by.yield': 'net.train.over.by.yield',
    'step(carry) + param * every': '(step(carry) + (param * every))',
    'x -> repeat': '(x -> repeat)',
    'x -> repeat(2, axis = 1) -> step': '(x -> repeat(2, axis = 1) -> step)',
    'x -> repeat: repeat repeat { repeat }': '(x -> repeat: repeat repeat { repeat })',
    'inferred + iff + order + scanned': '(((inferred + iff) + order) + scanned)',
  });
});

test('a bracket on a new line does not continue a value', () => {
  expect(showBody('x = f\n(a, b) = g(x)\ny = h(\n1)(2)\n  .z')).toMatchInlineSnapshot(`
    [
      "x = f",
      "a, b = g(x)",
      "y = h(1)(2).z",
    ]
  `);
});

test('spans cover the text of each part, with its parentheses', () => {
  const text = '(a + b).c * f(x, k = -1)';
  const { expr } = parseExpression({ name: '-D', text });
  const of = (e: Expr) => text.slice(e.span.start, e.span.end);
  if (expr?.kind !== 'binary' || expr.left.kind !== 'field' || expr.right.kind !== 'call') {
    throw new Error('not a product of a field and a call');
  }
  expect(of(expr)).toBe(text);
  expect(text.slice(expr.opSpan.start, expr.opSpan.end)).toBe('*');
  expect(of(expr.left)).toBe('(a + b).c');
  expect(of(expr.left.value)).toBe('a + b');
  const last = expr.right.args[1];
  expect(text.slice(last?.span.start, last?.span.end)).toBe('k = -1');
});

test('an expression alone must be all of its text', () => {
  const messages = (text: string) => parseExpression({ name: '-D', text }).diagnostics.map(d => d.message);
  expect(messages('3 4')).toEqual(['expected the end of the expression, found `4`']);
  expect(messages('')).toEqual(['expected an expression, found the end of the file']);
});
