import type { Dim, DimEnv } from './dim.ts';
import * as D from './dim.ts';

/**
 * Examples in numbers for what polynomials leave open. They prove nothing; they show a user for which sizes two
 * expressions differ, or that none was found.
 */

/** Choices of the free dims: all alike, and each unlike the next, small and odd and even. */
export function environments(dims: readonly Dim[]): DimEnv[] {
  const names = namesIn(dims);
  if (names.length === 0) return [{}];
  const sizes = [1, 2, 3, 4, 7, 12, 28, 33];
  const choices = sizes.map((_, k) => Object.fromEntries(names.map(n => [n, sizes[k]!])));
  if (names.length === 1) return choices;
  return [
    ...choices,
    ...sizes.map((_, k) => Object.fromEntries(names.map((n, i) => [n, sizes[(k + 3 * i) % sizes.length]!]))),
  ];
}

/** Where two sizes differ, `for N = 3: 2*N = 6, but N + 4 = 7`; undefined where no choice that is tried shows it. */
export function exampleOfDifference(a: Dim, b: Dim): string | undefined {
  const env = find([a, b], (x, y) => x !== y);
  if (!env) return undefined;
  const sides = [a, b].map(d => valueAt(d, env));
  // Two names with their values say it all.
  return [a, b].every(d => env[d.key] !== undefined)
    ? `they differ for ${listed(env)}`
    : `for ${listed(env)}: ${sides.join(', but ')}`;
}

/** For which sizes a condition on two sizes holds, and for which it does not, where such were found. */
export function examplesOf(
  a: Dim,
  b: Dim,
  holds: (x: number, y: number) => boolean,
): { readonly holds?: string; readonly fails?: string } {
  const [yes, no] = [find([a, b], holds), find([a, b], (x, y) => !holds(x, y))];
  return { ...(yes && { holds: listed(yes) }), ...(no && { fails: listed(no) }) };
}

/** Sizes that tensors have show it better than others, and those better that are not 1, which would be repeated. */
function find([a, b]: readonly [Dim, Dim], shows: (x: number, y: number) => boolean): DimEnv | undefined {
  let [second, third]: (DimEnv | undefined)[] = [];
  for (const env of candidates([a, b])) {
    const [x, y] = [D.evaluate(a, env), D.evaluate(b, env)];
    if (!Number.isFinite(x) || !Number.isFinite(y) || !shows(x, y)) continue;
    if (x >= 2 && y >= 2) return env;
    if (x >= 1 && y >= 1) second ??= env;
    third ??= env;
  }
  return second ?? third;
}

/** Of one free size the small ones in order; of several some that are unlike first, then as many as a moment allows. */
function* candidates(dims: readonly Dim[]): Generator<DimEnv> {
  const names = namesIn(dims);
  const most = Math.max(2, Math.floor(4096 ** (1 / Math.max(1, names.length))));
  const each = Math.min(64, most);
  const total = each ** Math.min(names.length, 12);
  if (names.length !== 1) yield* environments(dims);
  for (let k = 0; k < total; k++) {
    let rest = k;
    yield Object.fromEntries(
      names.map(name => {
        const size = 1 + (rest % each);
        rest = Math.floor(rest / each);
        return [name, size];
      }),
    );
  }
}

function namesIn(dims: readonly Dim[]): string[] {
  const free = new Set<string>();
  for (const dim of dims) D.symbols(dim, free);
  return [...free].sort();
}

const listed = (env: DimEnv): string =>
  Object.entries(env)
    .map(([name, size]) => `${name} = ${size}`)
    .join(', ');

function valueAt(d: Dim, env: DimEnv): string {
  const value = D.evaluate(d, env);
  return D.constantValue(d) === undefined ? `${D.print(d)} = ${value}` : String(value);
}
