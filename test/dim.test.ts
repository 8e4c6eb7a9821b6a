import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as D from '../src/ir/dim.ts';
import { exampleOfDifference, examplesOf } from '../src/ir/dim-examples.ts';
import { Scanner } from '../src/ir/parse/scanner.ts';
import { readDim } from '../src/ir/parse/type.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 2000);

const [N, H, W] = ['N', 'H', 'W'].map(D.symbol) as [D.Dim, D.Dim, D.Dim];
const k = D.constant;

/** A size as a tree of operations, and the size itself. */
interface Made {
  readonly dim: D.Dim;
  readonly value: (env: D.DimEnv) => number;
}

const { made } = fc.letrec<{ made: Made }>(tie => ({
  made: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -9, max: 9 }).map((n): Made => ({ dim: k(n), value: () => n })),
    fc.constantFrom('N', 'H', 'W').map((s): Made => ({ dim: D.symbol(s), value: env => env[s]! })),
    fc.tuple(tie('made'), tie('made'), fc.constantFrom(D.add, D.sub, D.mul)).map(
      ([a, b, op]): Made => ({
        dim: op(a.dim, b.dim),
        value: env => {
          const [x, y] = [a.value(env), b.value(env)];
          return op === D.add ? x + y : op === D.sub ? x - y : x * y;
        },
      }),
    ),
    fc.tuple(tie('made'), fc.integer({ min: 1, max: 7 })).map(
      ([a, n]): Made => ({
        dim: D.floorDiv(a.dim, k(n)),
        value: env => Math.floor(a.value(env) / n),
      }),
    ),
  ),
}));

const size = fc.integer({ min: 1, max: 40 });
const env = fc.record({ N: size, H: size, W: size });

describe('sizes', () => {
  test('mean what they were made of, and are at least their bound', () => {
    fc.assert(
      fc.property(made, env, ({ dim, value }, at) => {
        const exact = value(at);
        fc.pre(Math.abs(exact) < 2 ** 40);
        expect(D.evaluate(dim, at) + 0).toBe(exact + 0);
        expect(exact).toBeGreaterThanOrEqual(D.lowerBound(dim));
      }),
      { seed, numRuns },
    );
  });

  test('are read back as they are printed', () => {
    fc.assert(
      fc.property(made, ({ dim }) => {
        fc.pre(dim.terms.every(t => Number.isSafeInteger(t.coefficient)));
        expect(readDim(new Scanner(D.print(dim)))).toEqual(dim);
      }),
      { seed, numRuns },
    );
  });

  test.each([
    ['H - H ~/ 2', D.sub(H, D.floorDiv(H, k(2))), 1],
    ['H - 2*(H ~/ 2)', D.sub(H, D.scale(D.floorDiv(H, k(2)), 2)), 0],
    ['N*H - N*(H ~/ 3)', D.sub(D.mul(N, H), D.mul(N, D.floorDiv(H, k(3)))), 1],
    ['(H + 3) ~/ 2 - H ~/ 2', D.sub(D.floorDiv(D.add(H, k(3)), k(2)), D.floorDiv(H, k(2))), 1],
    [
      '(H ~/ 2 + 5) ~/ 3 - H ~/ 6',
      D.sub(D.floorDiv(D.add(D.floorDiv(H, k(2)), k(5)), k(3)), D.floorDiv(H, k(6))),
      1,
    ],
    ['H*H - H', D.sub(D.mul(H, H), H), 0],
    ['2*H*W - H - W - 1', D.sub(D.sub(D.sub(D.scale(D.mul(H, W), 2), H), W), k(1)), -1],
    ['H*W - 2*H', D.sub(D.mul(H, W), D.scale(H, 2)), Number.NEGATIVE_INFINITY],
    ['H - W', D.sub(H, W), Number.NEGATIVE_INFINITY],
    ['H ~/ 2 - H', D.sub(D.floorDiv(H, k(2)), H), Number.NEGATIVE_INFINITY],
    ['(N ~/ H) - 1', D.sub(D.floorDiv(N, H), k(1)), -1],
  ])('%s is at least what can be seen', (_, dim, bound) => {
    expect(D.lowerBound(dim)).toBe(bound);
  });
});

describe('examples in numbers', () => {
  test.each([
    [D.scale(N, 2), D.add(N, k(4)), 'for N = 1: 2*N = 2, but N + 4 = 5'],
    [H, W, 'they differ for H = 2, W = 7'],
    [
      D.floorDiv(H, k(2)),
      D.floorDiv(D.sub(H, k(1)), k(2)),
      'for H = 6: (H ~/ 2) = 3, but ((H + 1) ~/ 2) - 1 = 2',
    ],
    [D.mul(N, N), k(9), 'for N = 2: N*N = 4, but 9'],
    [D.floorDiv(D.scale(H, 2), k(4)), D.floorDiv(H, k(2)), undefined],
    // Sizes that no tensor has are shown only where there are no others.
    [D.sub(H, k(5)), D.scale(D.sub(H, k(5)), 2), 'for H = 7: H - 5 = 2, but 2*H - 10 = 4'],
    [D.sub(k(0), N), D.scale(N, -2), 'for N = 1: -N = -1, but -2*N = -2'],
  ])('%# %s', (...[a, b, text]) => {
    expect(exampleOfDifference(a, b)).toBe(text);
  });

  test('both sides of a condition', () => {
    const greater = (x: number, y: number): boolean => x > y;
    expect(examplesOf(H, D.scale(W, 2), greater)).toEqual({ holds: 'H = 12, W = 1', fails: 'H = 2, W = 2' });
    expect(examplesOf(D.floorDiv(N, k(2)), N, greater)).toEqual({ fails: 'N = 4' });
  });

  test('what they say is so', () => {
    fc.assert(
      fc.property(made, made, (a, b) => {
        const text = exampleOfDifference(a.dim, b.dim);
        if (D.equal(a.dim, b.dim)) expect(text).toBeUndefined();
        if (text === undefined) return;
        const at: Record<string, number> = { N: 1, H: 1, W: 1 };
        const [list = ''] = text.split(':');
        for (const [, name, n] of list.matchAll(/([NHW]) = (\d+)/g)) at[name!] = Number(n);
        expect(a.value(at)).not.toBe(b.value(at));
      }),
      { seed, numRuns: numRuns / 10 },
    );
  });
});
