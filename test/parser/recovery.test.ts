import { describe, expect, test } from 'vitest';
import { parse } from '../../src/parser/parse.ts';
import { declaration, problems } from './show.ts';

test('three independent errors give three diagnostics, and the rest of the tree stands', () => {
  const text = `net A(x: f32[N]) -> f32[N] {
  y = x -> conv(3 4)
  z = x
  w = x * / 2
  return z
}
net B(x f32[N]) -> f32[N] {
  return x
}
net C = A
`;
  expect(problems(text)).toMatchInlineSnapshot(`
    [
      "2:19 E0102 expected \`,\` or \`)\` in the arguments, found \`4\`",
      "4:11 E0102 expected an expression, found \`/\`",
      "7:9 E0102 expected \`:\` and a type after the name of the parameter, found \`f32\`",
    ]
  `);
  expect(parse({ name: 'net.dnn', text }).file.declarations.map(declaration)).toEqual([
    'net A(x: f32[N]) -> f32[N] { z = x; return z }',
    'net C = A',
  ]);
});

describe('messages', () => {
  const inBody = (statement: string) => problems(`train t {\n${statement}\n}`);
  test.each([
    ['x = f(a', '3:1 E0102 expected `)` to close the arguments, found `}`'],
    ['x = f(a\ny = 2', '3:1 E0102 expected `)` to close the arguments, found `y`'],
    ['x = [1, 2', '3:1 E0102 expected `]` to close the list, found `}`'],
    ['x = (1 2)', '2:8 E0102 expected `)` to close the parenthesis, found `2`'],
    ['x = if a { 1 }', '3:1 E0102 expected `else`, which every `if` needs, found `}`'],
    ['f(x)', '2:2 E0102 expected `=` or `<-` after the name `f`, found `(`'],
    ['-> relu', '2:1 E0102 expected a statement or `}`, found `->`'],
    ['minimize x', '3:1 E0102 expected `over` and what to update, found `}`'],
    ['minimize x over A', '3:1 E0102 expected `by` and how to update, found `}`'],
    ['data x', '3:1 E0102 expected `:` and a type after the name, found `}`'],
    ['metric scan = 3', '2:8 E0102 expected a name, but `scan` is a keyword'],
    ['x = y ->', '3:1 E0102 expected a layer or a function to apply, found `}`'],
    ['x = a < b < c', '2:11 E0102 `<` cannot follow another comparison'],
    ['x = 1..2..3', '2:9 E0102 a range cannot be the end of another range'],
    ['x = "abc', '2:5 E0101 this string has no closing `"`'],
    ['x = f("abc, 3)\ny = 2', '2:7 E0101 this string has no closing `"`'],
    ['x = a ? b', '2:7 E0101 unexpected character `?`'],
    ["x = 'abc'", "2:5 E0101 unexpected character `'`"],
    ['x = "a\\q"', '2:7 E0101 unknown escape `\\q` in a string'],
    ['x = 1e999', '2:5 E0101 this number is too large'],
  ])('%s', (statement, message) => expect(inBody(statement)).toEqual([message]));

  test.each([
    ['x = 3', '1:1 E0102 expected a declaration (import, const, fn, op, block, net or train), found `x`'],
    ['net A(x: f32)', '1:14 E0102 expected `->` and the type of the result, found the end of the file'],
    ['net A {', '1:8 E0102 expected `}` to close the body, found the end of the file'],
    ['const if = 1', '1:7 E0102 expected a name, but `if` is a keyword'],
    ['op f() -> y: f32 { y[] = avg(i) x[i] }', '1:26 E0102 `avg` is no reduction'],
  ])('%s', (text, message) => expect(problems(text)).toEqual([message]));

  test.each([
    ['x = .5', 'write `0.5`'],
    ['x = a <-1', '`<-` updates a state; to compare with a negative number write `< -`'],
    ['x = if a = b { 1 } else { 2 }', 'equality is written `==`'],
    ['x = a ** b', 'the power operator is `^`'],
    ['x = a && b', 'conjunction is written `and`'],
    ['f(x)', 'a statement gives its value a name, as in `y = f(x)`'],
  ])('hint for %s', (statement, hint) => {
    const { diagnostics } = parse({ name: 'net.dnn', text: `train t {\n${statement}\n}` });
    expect(diagnostics.map(d => d.hint)).toEqual([hint]);
  });
});

test('a body that is not closed ends at the next declaration and is kept', () => {
  const text = 'train a {\n  step d {\n    y = 3\n  }\n\nnet C = D()\n';
  expect(problems(text)).toEqual(['6:1 E0102 expected `}` to close the body, found `net`']);
  const { file, diagnostics } = parse({ name: 'net.dnn', text });
  expect(diagnostics[0]?.notes?.[0]?.span?.start).toBe(text.indexOf('{'));
  expect(file.declarations.map(declaration)).toEqual(['train a { step d { y = 3 } }', 'net C = D()']);
});

test('an error inside braces of a statement does not end the body around it', () => {
  const text = `net A(x: f32[N]) -> f32[N] {
  y = x
    -> repeat i in 1..4 {
         conv(3 4) -> relu
       }
    -> tanh
  z = scan(axis = 1) t in x carry h + 0 { h = t yield h }
  return y
}`;
  expect(problems(text).map(p => p.split(' ')[0])).toEqual(['4:17', '7:37']);
  expect(parse({ name: 'net.dnn', text }).file.declarations.map(declaration)).toEqual([
    'net A(x: f32[N]) -> f32[N] { return y }',
  ]);
});

test('an operator that is wrong does not swallow the next line', () => {
  expect(problems('train t {\nx = *\ny = 2 +\n3\nz = f(1,,\naxis = 2)\n}').map(p => p.split(' ')[0])).toEqual(
    ['2:5', '5:9'],
  );
});

test('at most twenty errors', () => {
  expect(problems(`train t {\n${'x = *\n'.repeat(100)}}`)).toHaveLength(20);
});
