import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import type { ShapeClass } from '../../ir/tuning.ts';
import { loadsOf } from '../fuse/definition.ts';
import { isInPlace } from './kernel.ts';
import { operations } from './operations.ts';
import { asProduct } from './product.ts';

/**
 * What a schedule depends on, as text that people can read: the axes of the outputs and of the reduction, and how its terms
 * are addressed. What is done with a finished sum is left out, so that a product with a bias and one without are one class.
 *
 *     sum f32 a64 b56 c56 over i64 j3 k3 of f32[i, b+j, c+k]? f32[a, i, j, k], 2 operations
 *
 * `?` marks what is read under conditions, `~` an address that is no sum of multiples, `$1` the first free size. Products of
 * f32 say what matrix units may make of their factors, where there are such: the best schedule depends on it.
 */
export function shapeClass(work: Work, target: Target): ShapeClass {
  const [compute] = work.region.stages;
  const names = new Map<string, string>();
  const factors = target.matrices?.factors ?? 'exact';
  const more = factors !== 'exact' && multipliesSingles(compute!) ? `, factors ${factors}` : '';
  const classWith = (size: (d: Dim) => string): string =>
    `${describe(compute!, isInPlace(work), size)}${more}`;
  const free = (d: Dim): string => {
    for (const name of D.symbols(d)) if (!names.has(name)) names.set(name, `$${names.size + 1}`);
    return D.print(d).replace(/[A-Za-z_]\w*/g, word => names.get(word) ?? word);
  };
  return {
    exact: classWith(free),
    near: classWith(d => {
      const n = D.constantValue(d);
      return n === undefined ? free(d) : String(n < 1 ? n : 2 ** Math.round(Math.log2(n)));
    }),
  };
}

const multipliesSingles = (compute: Compute): boolean =>
  asProduct(compute) !== undefined && loadsOf(compute.reduce!.lift).some(l => l.dtype === 'f32');

function describe(compute: Compute, inPlace: boolean, size: (d: Dim) => string): string {
  const { axes, reduce, outs } = compute;
  const names = new Map<Axis, string>([
    ...axes.map((a, i) => [a, letter(i, 'abcdefgh', 'a')] as const),
    ...(reduce?.axes ?? []).map((a, i) => [a, letter(i, 'ijklmnop', 'i')] as const),
  ]);
  const list = (of: readonly Axis[]): string => of.map(a => ` ${names.get(a)}${size(a.extent)}`).join('');
  const values = reduce ? reduce.lift : outs.map(o => o.value);
  const loads = new Map(loadsOf(values).map(l => [E.exprKey(l), l]));
  const count = values.reduce((n, e) => n + operations(e), 0);
  return [
    reduce
      ? `${reduce.monoid.name} ${reduce.monoid.types.join()}`
      : `map ${outs.map(o => o.type.dtype).join()}`,
    list(axes),
    ...(reduce ? [` over${list(reduce.axes)}`] : []),
    ` of ${[...loads.values()].map(l => describeLoad(l, names)).join(' ')}`,
    `, ${count} operations`,
    ...(reduce?.guard?.length ? [', guarded'] : []),
    ...(inPlace ? [', in place'] : []),
  ].join('');
}

const letter = (i: number, letters: string, other: string): string => letters[i] ?? `${other}${i}'`;

function describeLoad(load: Extract<Expr, { kind: 'load' }>, names: ReadonlyMap<Axis, string>): string {
  const at = load.at.map(x => describeIndex(x, names)).join(', ');
  return `${load.dtype}[${at}]${load.guard ? '?' : ''}`;
}

function describeIndex(x: Index, names: ReadonlyMap<Axis, string>): string {
  const { axes, rest } = A.axisCoefficients(x);
  const terms = [...axes].map(([axis, by]) => {
    const n = D.constantValue(by);
    return `${n === 1 ? '' : `${n ?? 'n'}*`}${names.get(axis) ?? '?'}`;
  });
  const irregular = new Set<string>();
  E.visitIndex(rest, { axis: a => void irregular.add(names.get(a) ?? '?') });
  return [...terms, ...[...irregular].map(name => `~${name}`)].join('+') || '0';
}
