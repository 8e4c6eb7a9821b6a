import type { Expr, Monoid } from './compute.ts';
import * as E from './expr.ts';
import type { DType } from './type.ts';

/** The largest finite value, used instead of infinity, which WGSL may assume not to occur. */
export function extreme(dtype: DType, sign: 1 | -1): number {
  switch (dtype) {
    case 'f32':
      return sign * 3.4028234663852886e38;
    case 'f16':
      return sign * 65504;
    case 'i32':
      return sign > 0 ? 2147483647 : -2147483648;
    case 'u32':
      return sign > 0 ? 4294967295 : 0;
    case 'u8':
      return sign > 0 ? 255 : 0;
    case 'bool':
      return sign > 0 ? 1 : 0;
  }
}

function single(name: string, dtype: DType, zero: number, merge: (a: Expr, b: Expr) => Expr): Monoid {
  return { name, types: [dtype], zero: [E.constant(zero, dtype)], merge: ([a], [b]) => [merge(a!, b!)] };
}

export const sum = (dtype: DType): Monoid => single('sum', dtype, 0, E.add);
export const product = (dtype: DType): Monoid => single('prod', dtype, 1, E.mul);
export const maximum = (dtype: DType): Monoid =>
  single('max', dtype, extreme(dtype, -1), (a, b) => E.binary('max', a, b));
export const minimum = (dtype: DType): Monoid =>
  single('min', dtype, extreme(dtype, 1), (a, b) => E.binary('min', a, b));

/**
 * (value, index) of the extreme. Ties go to the smaller index, whatever the order in which partial results merge;
 * index -1 marks "nothing yet", so a neutral element never wins.
 */
export function argExtreme(direction: 'max' | 'min', dtype: DType): Monoid {
  const better = direction === 'max' ? 'gt' : 'lt';
  return {
    name: `arg${direction}`,
    types: [dtype, 'i32'],
    zero: [E.constant(extreme(dtype, direction === 'max' ? -1 : 1), dtype), E.constant(-1, 'i32')],
    merge: ([av, ai], [bv, bi]) => {
      const none = E.constant(0, 'i32');
      const bExists = E.binary('ge', bi!, none);
      const aMissing = E.binary('lt', ai!, none);
      const equalAndEarlier = E.binary('and', E.binary('eq', bv!, av!), E.binary('lt', bi!, ai!));
      const wins = E.binary('or', aMissing, E.binary('or', E.binary(better, bv!, av!), equalAndEarlier));
      const takeB = E.binary('and', bExists, wins);
      return [E.select(takeB, bv!, av!), E.select(takeB, bi!, ai!)];
    },
  };
}

/** Several independent reductions over the same points, as one. */
export function pair(a: Monoid, b: Monoid): Monoid {
  const cut = a.types.length;
  return {
    name: `${a.name}+${b.name}`,
    types: [...a.types, ...b.types],
    zero: [...a.zero, ...b.zero],
    merge: (x, y) => [...a.merge(x.slice(0, cut), y.slice(0, cut)), ...b.merge(x.slice(cut), y.slice(cut))],
    parts: [...(a.parts ?? [a]), ...(b.parts ?? [b])],
  };
}
