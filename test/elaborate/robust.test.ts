import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from '../../src/parser/parse.ts';
import { elaborate } from '../../src/passes/elaborate/index.ts';
import { example } from './helpers.ts';

const texts = [
  ...['lenet', 'mlp', 'convnet'].map(name => example(`${name}/${name}.dnn`)),
  `import { Q } from "./q.dnn"
  const S = [1, 2, 3]
  fn f(a: f32[...], b: f32[...] = 0, k: float = 2) -> f32[...] { return a * k + b }
  block B(n: int = 2, unit: block = dense)(x: f32[N, D]) -> (y: f32[N, D], h: f32[...]) {
    param w: f32[D] = ones
    state s: f32[D] = zeros
    s <- s + mean(x, axis = 0)
    h = x -> inner: repeat i in 0..n { unit(4) -> tanh } -> f(k = 3)
    (a, b) = split(h, 2, axis = 1)
    return x * w, if training { a } else { b }
  }
  net A(x: f32[N, 4]) -> (y: f32[N, 4], h: f32[N, _]) = B(3)
  net C(x: f32[N, 4]) -> f32[N] { r = A(x) return r.y[:, 0] + r.inner[1][..., -1] * r.h[:, 1] }
  train t {
    data x: f32[N, 4]
    param p: f32[4] = xavier
    repeat i in S { x = x * i + p }
    metric m = max(C(x))
    minimize mean((infer C(x)) ^ 2) over A by clip_norm(2) -> sgd(lr = 0.1 / iter), p by adam()
  }`,
];

/** Pieces that keep a text parsable after most exchanges. */
const pieces = texts.flatMap(t => t.match(/\w+|->|[-+*/^@~<>=!]+|\S/g) ?? []);

test('no text makes elaboration throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces, '', '0', '-1', '1e9', '"s"', '[]', 'x', 'N')), {
        minLength: 1,
        maxLength: 3,
      }),
      (text, edits) => {
        const tokens = text.split(/(\w+|->|[-+*/^@~<>=!]+|\S)/);
        for (const [at, piece] of edits) tokens[(at % Math.floor(tokens.length / 2)) * 2 + 1] = piece;
        const { file, diagnostics } = parse({ name: 'fuzz.dnn', text: tokens.join('') });
        const result = elaborate(file);
        expect(result.module !== undefined || result.diagnostics.length > 0 || diagnostics.length > 0).toBe(
          true,
        );
        for (const d of result.diagnostics) expect(d.span?.source.name ?? 'fuzz.dnn').toBe('fuzz.dnn');
      },
    ),
    {
      numRuns: Number(process.env.FUZZ_RUNS ?? 60),
      ...(process.env.FUZZ_SEED && { seed: Number(process.env.FUZZ_SEED) }),
    },
  );
}, 600_000);
