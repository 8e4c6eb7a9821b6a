import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exitCode } from '../../src/cli/errors.ts';
import { dnnc, temporaryFolder } from './helpers.ts';

const at = temporaryFolder();
const net = (body: string, size = '4'): string => `net M(x: f32[N, ${size}]) -> f32[N, _] { ${body} }\n`;

const cases: Readonly<Record<string, readonly [content: string | Uint8Array, ...says: string[]]>> = {
  'not UTF-8': [
    Uint8Array.from([...Buffer.from('const A = 1\n// caf'), 0xe9, 0x0a]),
    'error[E0112]: this is not UTF-8 text: byte 0xe9 at offset 18',
    ':2:7',
  ],
  'cut within a character': [
    Uint8Array.from([...Buffer.from('\ufffd '), 0xe2, 0x82]),
    'the text ends within a character at offset 4',
  ],
  empty: ['', 'error[E0102]: the file declares nothing', 'hint: a program has at least a net'],
  'nothing but comments': ['// a\n\n// b\n', 'the file declares nothing'],
  '10 MB of brackets': ['([{'.repeat(1e7 / 3), 'error[E0103]: nesting too deep'],
  '10 MB of pairs': ['()'.repeat(5e6), 'error[E0103]'],
  'nesting of 100,000': [`const A = ${'('.repeat(1e5)}1${')'.repeat(1e5)}`, 'error[E0103]'],
  'bodies nested 100,000 times': [`train t ${'{ repeat 2 '.repeat(1e5)}`, 'error[E0103]'],
  'a block in itself': [
    `block A()(x: f32[N, 4]) -> f32[N, 4] { return x -> A }\n${net('return x -> A')}`,
    'error[E0208]: `A` applies itself, more than 150 deep: A -> A',
  ],
  'blocks in one another': [
    `block A(n: int)(x: f32[N, 4]) -> f32[N, 4] { return x -> dense(4) -> B(n + 1) }
     block B(n: int)(x: f32[N, 4]) -> f32[N, 4] { return x -> C(n) }
     block C(n: int)(x: f32[N, 4]) -> f32[N, 4] { return x -> A(n + 1) }
     net M(x: f32[N, 4]) -> f32[N, 4] = A(0)\n`,
    'A -> B -> C -> A',
    '`C` applies `A`',
  ],
  'functions in one another': [
    `fn f(x: f32[...]) -> f32[...] { return g(x) }
     fn g(x: f32[...]) -> f32[...] { return f(x) * 2 }\n${net('return f(x)')}`,
    'error[E0208]: `f` applies itself, more than 150 deep: f -> g -> f',
  ],
  'nets in one another': [
    'net A(x: f32[N]) -> f32[N] { return B(x) }\nnet B(x: f32[N]) -> f32[N] { return A(x) }\n',
    'A -> B -> A',
  ],
  'a size past 2^53': [net('return x', '9007199254740993'), 'error[E0101]', '2^53 - 1'],
  'a computed size past 2^53': [`const A = 2 ^ 60\n${net('return x', 'A')}`, '2 ^ 60 is too large'],
  'a shape past 2^53': [
    net('return sum(x)', '100000000, 100000000, 1000').replace('f32[N, _]', 'f32'),
    'error[E0208]',
    'is too large',
  ],
  'weights that fit nowhere': [
    net('return x -> dense(100000) -> dense(100000)'),
    'error[E0208]',
    '[100000, 100000] is too large: at least 10000000000 elements',
  ],
  'a tensor that fits nowhere': [net('return x + sum(zeros(1000000, 1000000))'), 'at most 2147418112'],
  'a parameter that fits nowhere': [
    'train t { param w: f32[1000000, 1000000] = zeros\n minimize sum(w) over w by sgd(lr = 0.1) }',
    'f32[1000000, 1000000] is too large',
  ],
  'a repeat of 1e9': [net('return x -> repeat 1e9 { dense(4) }'), 'at most 4096 turns, not 1000000000'],
  'repeats in repeats': [
    net('repeat 4000 { repeat 4000 { repeat 4000 { x = x + 1 } } }\n return x'),
    'loops unroll to more than 4096 turns in all',
  ],
  'a range of 1e12': [net('return x * len(0..1000000000000)'), 'a range of 1000000000000 is too long'],
  'a list that doubles': [
    `fn d(l: int[]) -> int[] { return l + l }\n${net('l = [1]\n repeat 60 { l = d(l) }\n return x * len(l)')}`,
    'this is too long: 131072 entries, at most 65536',
  ],
};

test.each(Object.entries(cases))(
  '%s: a diagnostic within seconds',
  async (name, [content, ...says]) => {
    const path = at(`${name.replaceAll(/\W+/g, '-')}.dnn`);
    writeFileSync(path, content);
    const start = performance.now();
    const { code, out, err } = await dnnc('check', path);
    expect(code).toBe(exitCode.diagnostics);
    expect(out).toBe('');
    for (const text of says) expect(err).toContain(text);
    expect(err).not.toMatch(/^\s+at /m);
    expect(err.length).toBeLessThan(20_000);
    expect(performance.now() - start).toBeLessThan(15_000);
  },
  30_000,
);

test('a circle that a static argument ends is none', async () => {
  const path = at('countdown.dnn');
  writeFileSync(
    path,
    `block Down(n: int)(x: f32[N, 4]) -> f32[N, 4] {
       return if n == 0 { x } else { x -> dense(4) -> Down(n - 1) }
     }\n${net('return x -> Down(20)')}`,
  );
  expect((await dnnc('check', path)).err).toBe('');
});

test('an import that is not UTF-8 is named', async () => {
  writeFileSync(at('latin.dnn'), Uint8Array.from([...Buffer.from('const A = 1 // '), 0xe9]));
  const path = at('importing.dnn');
  writeFileSync(path, 'import { A } from "./latin.dnn"\nnet M(x: f32[N, A]) -> f32[N, A] { return x }\n');
  const { code, err } = await dnnc('check', path);
  expect(code).toBe(exitCode.diagnostics);
  expect(err).toContain('error[E0112]');
  expect(err).toContain('latin.dnn:1:16');
});
