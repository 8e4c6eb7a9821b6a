import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { format } from '../../src/parser/format/index.ts';
import { parse } from '../../src/parser/parse.ts';
import { tokenize } from '../../src/parser/tokens.ts';
import { layOut, randomWords } from './random-programs.ts';
import { declaration } from './show.ts';

const runs = {
  numRuns: Number(process.env.DNNC_RUNS ?? 300),
  ...(process.env.DNNC_SEED && { seed: Number(process.env.DNNC_SEED) }),
};

function formatted(text: string): string {
  const { text: out, diagnostics } = format({ name: 'net.dnn', text });
  expect(diagnostics).toEqual([]);
  return out!;
}

const trees = (text: string): string[] => parse({ name: 'net.dnn', text }).file.declarations.map(declaration);
const comments = (text: string): string[] => tokenize(text).comments.map(c => c.image.trimEnd());

/** What holds of every text that parses. */
function holds(text: string): void {
  const once = formatted(text);
  expect(formatted(once)).toBe(once);
  expect(trees(once)).toEqual(trees(text));
  expect(comments(once)).toEqual(comments(text));
  expect(once).not.toMatch(/[ \t]+$/m);
  expect(once).not.toMatch(/\n\n\n|^\n|[^\n]$/);
}

const root = new URL('../../', import.meta.url);
const files = ['src/std', 'examples'].flatMap(folder =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.dnn'))
    .map(file => `${folder}/${file}`),
);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

describe('every text keeps its tree and its comments, and formats to itself the second time', () => {
  test('random programs in random layouts', () => {
    fc.assert(
      fc.property(randomWords, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), (words, gaps) => {
        const text = layOut(words, gaps);
        expect(parse({ name: 'net.dnn', text }).diagnostics).toEqual([]);
        holds(text);
      }),
      runs,
    );
  });

  test.each(files)('%s in random layouts', file => {
    const { tokens } = tokenize(read(file));
    const words = tokens.flatMap((token, i) => {
      const fresh = token.startLine !== tokens[i - 1]?.endLine;
      const suffix = !fresh && (token.image === '(' || token.image === '[');
      return suffix ? [`«${token.image}`] : fresh ? ['\n', token.image] : [token.image];
    });
    const layouts = fc.array(fc.nat(), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(layouts, gaps => holds(layOut(words, gaps))),
      { ...runs, numRuns: 10 },
    );
  });

  test.each(files)('%s is formatted', file => {
    expect(formatted(read(file))).toBe(read(file));
  });
});

test('what has syntax errors is not formatted', () => {
  const { text, diagnostics } = format({ name: 'net.dnn', text: 'net A( {' });
  expect(text).toBeUndefined();
  expect(diagnostics.map(d => d.code)).toContain('E0102');
});

test.each([
  ['', ''],
  [' \n\n', ''],
  ['// only this', '// only this\n'],
  ['\ufeff// a\r\n\r\n\r\n// b\r\n', '// a\n\n// b\n'],
  ['const  A=[ 1,2 ,3]', 'const A = [1, 2, 3]\n'],
  ['const A = -x^-2*(a+b)~/3 // why', 'const A = -x ^ -2 * (a + b) ~/ 3 // why\n'],
  ['const A = 0 .. n+1', 'const A = 0..n + 1\n'],
  ['const A = p[ ... ,B*5 : , ::2]', 'const A = p[..., B * 5:, ::2]\n'],
  ['import{A,B}from"./a.dnn"', 'import { A, B } from "./a.dnn"\n'],
  ['fn f()->f32[]{}', 'fn f() -> f32[] {}\n'],
  ['train t{return x}', 'train t { return x }\n'],
  ['train t{a=1\nb=2}', 'train t {\n  a = 1\n  b = 2\n}\n'],
])('%j becomes %j', (text, expected) => {
  expect(formatted(text)).toBe(expected);
});

const body = (...lines: string[]): string => ['train t {', ...lines.map(l => `  ${l}`), '}', ''].join('\n');

describe('pipes', () => {
  test('stages stand below the first arrow', () => {
    expect(formatted(body('return x -> conv(3)', '-> relu -> max_pool(2)', '-> flatten'))).toBe(
      body('return x -> conv(3)', '         -> relu -> max_pool(2)', '         -> flatten'),
    );
  });

  test('or two columns in, if the first begins a line, with columns where rows apply the same', () => {
    const lenet = body(
      'return x',
      '  -> conv(6, 5, pad = 2) -> tanh -> avg_pool(2)',
      '  -> conv(16, 5)         -> tanh -> avg_pool(2)',
      '  -> flatten',
      '  -> dense(120) -> tanh',
      '  -> dense(84)  -> tanh',
      '  -> head: dense(10)',
    );
    expect(formatted(lenet.replaceAll(/ {2,}->/g, ' ->'))).toBe(lenet);
  });

  test('a long one gets a line for every stage', () => {
    const stage = 'conv(512, 3, stride = 1, pad = 1)';
    expect(formatted(body(`y = x -> ${stage} -> ${stage} -> ${stage} -> relu`))).toBe(
      body('y = x', `  -> ${stage}`, `  -> ${stage}`, `  -> ${stage}`, '  -> relu'),
    );
  });

  test('a repeat over several lines', () => {
    const text = body('y = x', '  -> rest: repeat i in 0..3 {', '       a -> b', '     }', '  -> c');
    expect(formatted(text)).toBe(text);
  });
});

test('comments stay where they were', () => {
  const text = `// file

const A = 1  // one
const Long = 2 // two

train t { // begins
  // first
  loss = f(a, // in arguments
           b)
    // between stages
    -> g

  // second

  minimize loss over N by sgd(
    // before an argument
    lr = 1)
  // last
}
// end`;
  expect(formatted(text)).toMatchInlineSnapshot(`
    "// file

    const A = 1    // one
    const Long = 2 // two

    train t {     // begins
      // first
      loss = f(a, // in arguments
                 b)
        // between stages
        -> g

      // second

      minimize loss over N
        by sgd(
            // before an argument
            lr = 1)
      // last
    }
    // end
    "
  `);
  holds(text);
});

test('long signatures', () => {
  const text = `block A(channels: int, kernel: int = 3, stride: int = 1, groups: int = 1)(x: f32[N, Cin, H, W]) -> f32[N, channels, _, _] {
}
fn f(first: f32[N, C, ...S], weight: f32[O, G, ...K], stride: int[] = 1, pad: int[] = 0, dilation: int[] = 1) -> f32[N] {}
fn g(first: f32[N, C, ...S], weight: f32[O, G, ...K]) -> (first_result: f32[N, 128, 128], second: f32[N, 128]) {}
`;
  expect(formatted(text)).toMatchInlineSnapshot(`
    "block A(channels: int, kernel: int = 3, stride: int = 1, groups: int = 1)
          (x: f32[N, Cin, H, W]) -> f32[N, channels, _, _] {}
    fn f(first: f32[N, C, ...S], weight: f32[O, G, ...K], stride: int[] = 1, pad: int[] = 0, dilation: int[] = 1)
          -> f32[N] {}
    fn g(first: f32[N, C, ...S], weight: f32[O, G, ...K])
          -> (first_result: f32[N, 128, 128], second: f32[N, 128]) {}
    "
  `);
});

test('long expressions', () => {
  const text = body(
    'loss = style_gap(a.relu1_1, s.relu1_1) + style_gap(a.relu2_1, s.relu2_1) * 2 + style_gap(a.relu3_1, s.relu3_1)',
    'skip = if stride != 1 or Cin != 4 * channels { x -> ConvBN(4 * channels, 1, stride) } else { x -> something_else(2) }',
    'minimize loss over Net.head by sgd(lr = 0.1 * 0.5 ^ floor(epoch / 5), momentum = 0.9), Net.body by adam(lr = 1e-4)',
    'ok = some_condition_on_sizes and another_condition_on_the_same or not a_third_condition_of_length and finally_this',
    'z = f([[1, 2],',
    ' [3, 4]], axis = 1)',
  );
  expect(formatted(text)).toMatchInlineSnapshot(`
    "train t {
      loss = style_gap(a.relu1_1, s.relu1_1) + style_gap(a.relu2_1, s.relu2_1) * 2
           + style_gap(a.relu3_1, s.relu3_1)
      skip = if stride != 1 or Cin != 4 * channels { x -> ConvBN(4 * channels, 1, stride) }
             else { x -> something_else(2) }
      minimize loss over Net.head by sgd(lr = 0.1 * 0.5 ^ floor(epoch / 5), momentum = 0.9),
                         Net.body by adam(lr = 1e-4)
      ok = some_condition_on_sizes and another_condition_on_the_same
        or not a_third_condition_of_length and finally_this
      z = f([[1, 2],
             [3, 4]],
            axis = 1)
    }
    "
  `);
  holds(text);
});

test.each([
  ['comments behind statements', 'const A = 1 // a\n'.repeat(40_000)],
  ['comments', '// a\n'.repeat(150_000)],
  ['a list', `const A = [${'1, '.repeat(150_000)}1]`],
])(
  'much of the same takes seconds: %s',
  (_, text) => {
    const start = performance.now();
    expect(formatted(text).length).toBeGreaterThan(text.length * 0.9);
    expect(performance.now() - start).toBeLessThan(30_000);
  },
  120_000,
);
