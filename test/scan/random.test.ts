import * as fc from 'fast-check';
import { test } from 'vitest';
import { i32 } from '../elaborate/helpers.ts';
import { expectUnrolled, type Loop } from './unrolled.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 12);

/** A loop of its own, in a function that may be called several times. */
const definitions = `
fn inner(a: f32[N, 3], b: f32[N, 3]) -> f32[N, 3] {
  r = scan(reverse = true) v in stack(a, b, a * b) carry g = b { g = sin(g * v) + a  yield g }
  return r.g + r.out[1]
}

fn slope(p: f32[N, 3], b: f32[N, 3]) -> f32[N, 3] { return grad(sum(sin(p) * b), p) }
`;

const statements: readonly ((a: string, b: string) => string)[] = [
  a => `sin(${a})`,
  (a, b) => `${a} * ${b}`,
  (a, b) => `0.5 * ${a} - ${b}`,
  a => `tanh(${a} @ w)`,
  (a, b) => `${a} - mean(${b}, axis = 1, keep = true)`,
  (a, b) => `softmax(${a} + ${b}, axis = 1)`,
  (a, b) => `concat(${b}[:, 1:], ${a}[:, 0:1], axis = 1)`,
  (a, b) => `inner(${a}, ${b})`,
  (a, b) => `slope(${a} * xt, ${b})`,
  a => a,
];

const carried = ['h', 'c', 'k'];
const starts = ['h0', 'tanh(h0)', 'zeros(N, 3)', 'h0', 'x[0]'];

const loop: fc.Arbitrary<Loop> = fc
  .record({
    carries: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    lines: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 }),
    yields: fc.array(fc.nat(), { maxLength: 3 }),
    reverse: fc.boolean(),
    masked: fc.boolean(),
  })
  .map(({ carries, lines, yields, reverse, masked }) => {
    const names = carried.slice(0, carries.length);
    const known = ['xt', 'h0', ...names];
    const body = lines.map(([kind, a, b, to], i) => {
      const [left, right] = [a, b].map(n => known[n % known.length]!) as [string, string];
      const value = statements[kind % statements.length]!(left, right);
      // Half of what is made becomes a carry's new value.
      const name = to % 2 ? names[to % names.length]! : `v${i}`;
      if (!known.includes(name)) known.push(name);
      return `${name} = ${value}`;
    });
    const given = yields.map(n => known[n % known.length]!);
    const outs = given.map((_, i) => (i === 0 ? 'out' : `out_${i + 1}`));
    return {
      definitions,
      inputs: { x: 'f32[T, N, 3]', h0: 'f32[N, 3]', w: 'f32[3, 3]', ...(masked && { n: 'i32[N]' }) },
      carry: Object.fromEntries(names.map((name, i) => [name, starts[carries[i]! % starts.length]!])),
      body,
      yields: given,
      reverse,
      ...(masked && { lengths: 'n', perSequence: true }),
      results: Object.fromEntries([
        ...outs.map(name => [name, 'f32[T, N, 3]']),
        ...names.map(name => [name, 'f32[N, 3]']),
      ]),
    };
  });

test('random loops are their turns written out', () => {
  const property = fc.property(loop, fc.integer({ min: 1, max: 4 }), (one, T) =>
    expectUnrolled(one, [{ N: 2, T }], one.lengths ? { n: i32([2], [T - 1, T + 1]) } : {}),
  );
  fc.assert(property, { seed, numRuns });
}, 120_000);
