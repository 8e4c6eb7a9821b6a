import * as A from '../affine.ts';
import type { Axis, Index, Predicate } from '../compute.ts';
import type { Dim } from '../dim.ts';
import * as D from '../dim.ts';
import { environments } from '../dim-examples.ts';
import { compileIndex, compilePredicate } from '../interpret/expr.ts';
import { comparisonKey, inRange } from '../predicate.ts';
import type { Names } from '../print/expr.ts';
import { printIndex } from '../print/expr.ts';

/** Where an access happens. */
export interface Place {
  readonly axes: readonly Axis[];
  /** Holds at every point that counts. */
  readonly given: Predicate;
  readonly names: Names;
}

/** At most so many points of the iteration space are tried for one choice of the free dims. */
const pointLimit = 2048;
/** So many numbers are tried as the content of a tensor, from -1 on. */
const tried = 6;

/**
 * Coordinates of `at` that leave the shape, with a point at which they do. Bounds are proved where they can be, or are
 * what the place takes for given; otherwise a counterexample is looked for at small values of the free dims: everywhere
 * where the space is small, else at its corners and some points inside. Computed coordinates are passed over; for what
 * guards compute, tensors are filled with one small number after the other.
 */
export function outOfRange(at: readonly Index[], shape: readonly Dim[], place: Place): string[] {
  const known = new Set(place.given.map(comparisonKey));
  const isGiven = (x: Index, extent: Dim): boolean =>
    known.size > 0 && inRange(x, extent).every(c => known.has(comparisonKey(c)));
  return at.flatMap((x, i) => {
    const extent = shape[i];
    if (!extent || hasValue(x) || A.within(x, extent) || isGiven(x, extent)) return [];
    const found = counterexample(x, extent, place);
    return found === undefined ? [] : [`coordinate ${i} is ${printIndex(x, place.names)}, ${found}`];
  });
}

function hasValue(x: Index): boolean {
  return x.kind === 'value' || (x.kind === 'op' && (hasValue(x.a) || hasValue(x.b)));
}

function counterexample(x: Index, extent: Dim, { axes, given, names }: Place): string | undefined {
  const coordinates = usedAxes([x, ...given.flatMap(c => [c.a, c.b])]).filter(a => axes.includes(a));
  const dims = [
    extent,
    ...axes.map(a => a.extent),
    ...indexDims(x),
    ...given.flatMap(c => [...indexDims(c.a), ...indexDims(c.b)]),
  ];
  for (const env of environments(dims)) {
    // Sizes that no tensor has, or an empty space: nothing is accessed.
    if (axes.some(a => D.evaluate(a.extent, env) <= 0)) continue;
    const point = new Map<Axis, number>();
    const scope = {
      dims: env,
      precision: 'f64' as const,
      axis: (axis: Axis) => () => point.get(axis) ?? 0,
      load: (input: number) => content(`input ${input}`),
      reduced: (component: number) => content(`component ${component}`),
    };
    const contents = new Map<string, Axis>();
    const content = (of: string): (() => number) => {
      const axis = contents.get(of) ?? { name: of, extent: D.constant(tried) };
      contents.set(of, axis);
      return () => point.get(axis)! - 1;
    };
    const [value, holds, size] = [
      compileIndex(x, scope),
      compilePredicate(given, scope),
      D.evaluate(extent, env),
    ];
    const used = [...coordinates, ...contents.values()];
    const extents = used.map(a => D.evaluate(a.extent, env));
    for (const candidate of points(extents)) {
      used.forEach((axis, i) => {
        point.set(axis, candidate[i]!);
      });
      if (!holds()) continue;
      const reached = value();
      if (reached < 0 || reached >= size) {
        const where = [
          ...coordinates.map((a, i) => `${names.of(a)} = ${candidate[i]}`),
          ...Object.entries(env).map(([n, v]) => `${n} = ${v}`),
        ];
        return `which is ${reached} of ${size}${where.length > 0 ? ` at ${where.join(', ')}` : ''}`;
      }
    }
  }
  return undefined;
}

function usedAxes(indices: readonly Index[]): Axis[] {
  const found = new Set<Axis>();
  const visit = (x: Index) => {
    if (x.kind === 'axis') found.add(x.axis);
    if (x.kind === 'op') {
      visit(x.a);
      visit(x.b);
    }
  };
  indices.forEach(visit);
  return [...found];
}

function indexDims(x: Index): Dim[] {
  if (x.kind === 'dim') return [x.dim];
  return x.kind === 'op' ? [...indexDims(x.a), ...indexDims(x.b)] : [];
}

function* points(extents: readonly number[]): Generator<readonly number[]> {
  const total = extents.reduce((n, d) => n * d, 1);
  if (total <= pointLimit) {
    for (let flat = 0; flat < total; flat++) yield unflatten(flat, extents);
    return;
  }
  const corners = Math.min(1 << Math.min(extents.length, 30), pointLimit / 2);
  for (let mask = 0; mask < corners; mask++) yield extents.map((n, i) => ((mask >> i) & 1 ? n - 1 : 0));
  // A linear congruential sequence (Numerical Recipes), so that every run looks at the same points.
  let state = 1;
  for (let i = 0; i < pointLimit / 2; i++)
    yield extents.map(n => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * n);
    });
}

function unflatten(flat: number, extents: readonly number[]): number[] {
  const at = new Array<number>(extents.length);
  let rest = flat;
  for (let i = extents.length - 1; i >= 0; i--) {
    at[i] = rest % extents[i]!;
    rest = Math.floor(rest / extents[i]!);
  }
  return at;
}
