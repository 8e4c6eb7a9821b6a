import fc from 'fast-check';

/** Beyond this depth only the first alternative of each choice is taken. */
const deep = { maxDepth: 4, depthIdentifier: fc.createDepthIdentifier(), withCrossShrink: true };

/** A program as words; a word that begins with `«` must stay on the line of the word before it. */
type Words = readonly string[];

const words = (...parts: readonly (string | fc.Arbitrary<Words>)[]): fc.Arbitrary<Words> =>
  fc.tuple(...parts.map(p => (typeof p === 'string' ? fc.constant([p]) : p))).map(list => list.flat());

const maybe = (part: fc.Arbitrary<Words>): fc.Arbitrary<Words> => fc.oneof(fc.constant([]), part);

function list(item: fc.Arbitrary<Words>, min = 0, separator = ','): fc.Arbitrary<Words> {
  return fc
    .array(item, { minLength: min, maxLength: min + 2, depthIdentifier: deep.depthIdentifier })
    .map(items => items.flatMap((each, i) => (i === 0 ? each : [separator, ...each])));
}

/** Keywords of one place are names in every other. */
const name = fc
  .constantFrom('x', 'y', 'conv', 'a_rather_long_name', 'data', 'weights', 'block', 'net', 'over', 'in', 'w2')
  .map(n => [n]);
const plain = fc.constantFrom('x', 'y', 'conv', 'max_pool', 'a_rather_long_name_of_a_thing').map(n => [n]);
const number = fc.constantFrom('0', '12', '0.5', '5e-4', '1e9').map(n => [n]);
const string = fc.constantFrom('"a b"', '"// no comment"', '"\\" {"', '"ü"').map(n => [n]);

interface Trees {
  expr: Words;
  pipe: Words;
  logic: Words;
  add: Words;
  post: Words;
  stage: Words;
  args: Words;
  index: Words;
  type: Words;
  body: Words;
  statement: Words;
}

const { expr, type, body, args, add, index } = fc.letrec<Trees>((tie: fc.LetrecTypedTie<Trees>) => ({
  expr: fc.oneof(deep, tie('logic'), tie('pipe')),
  pipe: words(tie('logic'), '->', list(tie('stage'), 1, '->')),
  logic: fc.oneof(
    deep,
    tie('add'),
    words(
      tie('add'),
      fc.constantFrom('..', '==', '<').map(o => [o]),
      tie('add'),
    ),
    list(tie('add'), 2, 'or'),
    words(list(tie('add'), 2, 'and'), 'or', 'not', tie('add')),
  ),
  add: fc.oneof(
    deep,
    tie('post'),
    list(tie('post'), 2, '+'),
    words(
      tie('post'),
      fc.constantFrom('*', '~/', '@', '-', '%').map(o => [o]),
      tie('post'),
      '-',
      '-',
      tie('post'),
    ),
    words('-', tie('post'), '^', '-', tie('post')),
    words('infer', tie('post')),
  ),
  post: fc.oneof(
    deep,
    plain,
    number,
    string,
    words(plain, '«(', tie('args'), ')'),
    words(plain, '«[', tie('index'), ']'),
    words(plain, '.', name, '«(', tie('args'), ')', '.', name),
    words('(', tie('expr'), ')'),
    words('[', list(tie('expr')), ']'),
    words('if', tie('logic'), '{', tie('expr'), '}', 'else', '{', tie('expr'), '}'),
    words(
      'if',
      tie('logic'),
      '{',
      tie('expr'),
      '}',
      'else',
      'if',
      plain,
      '{',
      plain,
      '}',
      'else',
      '{',
      plain,
      '}',
    ),
    words('scan', '(', tie('args'), ')', plain, 'in', plain, 'carry', plain, '=', tie('logic'), tie('body')),
  ),
  stage: fc.oneof(
    deep,
    plain,
    words(maybe(words(plain, ':')), plain, maybe(words('«(', tie('args'), ')'))),
    words(
      maybe(words(plain, ':')),
      'repeat',
      maybe(words('i', 'in')),
      number,
      '{',
      list(tie('stage'), 1, '->'),
      '}',
    ),
  ),
  args: list(words(maybe(words(name, '=')), tie('expr'))),
  index: list(
    fc.oneof(
      fc.constant(['...']),
      tie('add'),
      words(':', maybe(tie('add')), maybe(words(':', plain))),
      words(tie('add'), ':', maybe(plain)),
    ),
    1,
  ),
  type: fc.oneof(
    fc.constant(['int']),
    words(
      'f32',
      '«[',
      list(fc.oneof(tie('add'), fc.constant(['...']), fc.constant(['...', 'S']), fc.constant(['_']))),
      ']',
    ),
  ),
  body: words(
    '{',
    fc
      .array(tie('statement'), { maxLength: 3, depthIdentifier: deep.depthIdentifier })
      .map(each => each.flatMap(s => ['\n', ...s])),
    '}',
  ),
  statement: fc.oneof(
    deep,
    words(plain, '=', plain),
    words(
      plain,
      fc.constantFrom('=', '<-').map(o => [o]),
      tie('expr'),
    ),
    words('(', list(plain, 1), ')', '=', tie('expr')),
    words(
      fc.constantFrom('data', 'param', 'state').map(o => [o]),
      plain,
      ':',
      tie('type'),
      maybe(words('=', tie('expr'))),
    ),
    words('metric', plain, '=', tie('expr')),
    words('return', list(tie('expr'), 1)),
    words('step', plain, maybe(fc.constant(['every', '2'])), tie('body')),
    words('repeat', 'i', 'in', plain, tie('body')),
    words('minimize', tie('logic'), 'over', list(words(list(plain, 1), 'by', tie('expr')), 1)),
  ),
}));

const params = words('(', list(words(plain, ':', type, maybe(words('=', expr)))), ')');
const result = fc.oneof(type, words('(', list(words(plain, ':', type), 1), ')'));
const declaration = fc.oneof(
  words('import', '{', list(name, 1), '}', 'from', string),
  words('const', name, maybe(words(':', type)), '=', expr),
  words('fn', name, params, '->', result, body),
  words('block', name, params, params, '->', result, body),
  words('net', name, params, '->', result, body),
  words(
    'net',
    name,
    maybe(words(params, '->', result)),
    '=',
    expr,
    maybe(words('weights', string, maybe(words('rename', string)))),
  ),
  words('train', name, body),
  words(
    'op',
    name,
    params,
    '->',
    'y',
    ':',
    type,
    '{',
    'y',
    '«[',
    index,
    ']',
    '=',
    'sum',
    '(',
    'c',
    ',',
    'k',
    ')',
    add,
    '}',
  ),
  words('const', plain, '=', plain, '«(', args, ')'),
);

/** Programs of the grammar, as words to be laid out; `\n` is a line break that belongs to the syntax. */
export const randomWords: fc.Arbitrary<Words> = fc
  .array(declaration, { minLength: 1, maxLength: 3 })
  .map(list => list.flatMap(each => ['\n', ...each]));

/** What may stand between two words. */
const gaps = [
  ' ',
  ' ',
  ' ',
  ' ',
  ' ',
  ' ',
  '',
  '\n',
  '\n\n\n',
  '  \t ',
  ' // note\n',
  '\n// own line  \n',
  '\n\n  // a\n\n // b\r\n',
];

/** Words with any layout between them that leaves the program what it is. */
export function layOut(list: readonly string[], choices: readonly number[]): string {
  let out = '';
  list.forEach((word, i) => {
    const gap = gaps[choices[i % choices.length]! % gaps.length]!;
    if (word === '\n') out += gap.includes('\n') ? gap : '\n';
    else if (word.startsWith('«')) out += gap.trim() === '' && !gap.includes('\n') ? gap : '';
    else out += gap === '' && /[\w"]$/.test(out) ? ' ' : gap === '' && /[^\s)\]}({[,]$/.test(out) ? ' ' : gap;
    out += word === '\n' ? '' : word.replace('«', '');
  });
  return out;
}
