import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, parseExpression } from '../../src/parser/parse.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import type { Source, Span } from '../../src/support/source.ts';

const program = `import { VGG } from "./11_vgg.dnn"
const Classes = 10
op conv1d(x: f32[N, C, L], w: f32[O, C, K]) -> y: f32[N, O, L - K + 1] {
  y[n, o, l] = sum(c, k) x[n, c, l + k] * w[o, c, k]
}
block Cell(H: int)(x: f32[N, D], h: f32[N, H]) -> (h: f32[N, H], c: f32[...]) {
  param wx: f32[D, 4 * H] = xavier
  (i, f) = split(x @ wx + b, 4, axis = 1)
  r = scan(axis = 1) xt in x carry h = zeros(N, H) { yield h }
  skip = if Cin != 4 * c { x -> ConvBN(4 * c, 1) } else { x }
  seen <- seen + p[..., 0:2] ^ -1
  repeat i in 0..len(layers) { x = x -> rest: repeat n[i] - 1 { unit(64) } }
  return sigmoid(o), c
}
net B = Cell([3, 4]) weights "./a.safetensors" rename "t"
train t {
  data x: u8[N, 1, 28, 28] // fed
  step d every 2 {
    minimize l over A.head by clip(5) -> adam(lr = 1e-4), A.b[3] by sgd()
  }
}
`;
const words = program.match(/\w+|\s+|[^\w\s]/g) ?? [];

/** Every span of a tree or diagnostic. */
function* spans(value: unknown, source: Source): Generator<Span> {
  if (typeof value !== 'object' || value === null || value === source) return;
  if ('source' in value && 'start' in value) yield value as Span;
  else for (const child of Object.values(value)) yield* spans(child, source);
}

function check(text: string): void {
  const source = { name: 'net.dnn', text };
  for (const { diagnostics, ...tree } of [parse(source), parseExpression(source)]) {
    for (const { start, end } of spans([tree, diagnostics], source)) {
      if (!(start >= 0 && start <= end && end <= text.length)) throw new Error(`span ${start}..${end}`);
    }
    expect(diagnostics.length).toBeLessThanOrEqual(20);
    for (const diagnostic of diagnostics) expect(renderDiagnostic(diagnostic)).not.toContain('undefined');
  }
}

describe('no text makes the parser throw, and every span lies in it', () => {
  test('arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check));
  });

  test('arbitrary words of the language', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), list => check(list.join(' '))),
      { numRuns: 300 },
    );
  });

  test('a sound program with a part cut out, doubled or replaced', () => {
    const place = fc.nat({ max: words.length - 1 });
    const edit = fc.tuple(place, fc.nat({ max: 3 }), fc.array(fc.constantFrom(...words), { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), edits => {
        const mutated = [...words];
        for (const [at, remove, insert] of edits) mutated.splice(at, remove, ...insert);
        check(mutated.join(''));
      }),
      { numRuns: 300 },
    );
  });

  test('every beginning of a sound program', () => {
    expect(parse({ name: 'net.dnn', text: program }).diagnostics).toEqual([]);
    for (let end = 0; end < program.length; end += 3) check(program.slice(0, end));
  });
});

describe('limits', () => {
  const codes = (text: string) => parse({ name: 'net.dnn', text }).diagnostics.map(d => d.code);

  test('a hundred brackets are read, more are refused at once', () => {
    expect(codes(`const a = ${'('.repeat(100)}1${')'.repeat(100)}`)).toEqual([]);
    expect(codes(`const a = ${'('.repeat(101)}1${')'.repeat(101)}`)).toEqual(['E0103']);
    expect(codes(`const a = "${'('.repeat(200)}" // ${'['.repeat(200)}`)).toEqual([]);
  });

  test.each(['(', ')', '()', '[{(', '{'])('ten million characters of %s', text => {
    const start = performance.now();
    expect(codes(text.repeat(1e7 / text.length))).toEqual(['E0103']);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('recursion without brackets is refused, and the parser works on', () => {
    expect(codes(`const a = ${'if '.repeat(50_000)}`)).toEqual(['E0103']);
    expect(codes(`const a = ${'if x -> repeat n { s } -> '.repeat(10_000)}`)).toEqual(['E0103']);
    expect(codes(`const a = ${'1 + '.repeat(5000)}1`)).toEqual(['E0103']);
    expect(codes(`const a = ${'-'.repeat(5000)}1`)).toEqual(['E0103']);
    expect(codes(`const a = ${'2 ^ '.repeat(5000)}1`)).toEqual(['E0103']);
    expect(codes(`const a = ${'if a { 1 } else '.repeat(5000)}{ 2 }`)).toEqual(['E0103']);
    expect(codes(program)).toEqual([]);
  });
});
