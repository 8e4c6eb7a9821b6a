import type { Axis } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { valueOfFills } from '../fuse/definition.ts';
import { axesIn, isAxis, stageOf } from './axes.ts';
import type { BatchLayout } from './layout.ts';

/**
 * Sums over the batch whose terms are 0 where what they read is: then it is enough that those tensors hold 0 past the
 * end. Other reductions skip the points.
 */
export function zerosFor(
  split: ReadonlyMap<Work, Axis>,
  blocked: ReadonlyMap<Tensor, number>,
  copied: ReadonlySet<Tensor>,
): Pick<BatchLayout, 'zeroed' | 'vanishing'> {
  const zeroed = new Set<Tensor>(copied);
  const vanishing = new Set<Work>();
  const never = {
    op: 'lt',
    a: { kind: 'dim', dim: D.constant(0) },
    b: { kind: 'dim', dim: D.constant(0) },
  } as const;
  for (const [work, axis] of split) {
    const { reduce } = stageOf(work)!;
    if (!reduce?.axes.includes(axis)) continue;
    const { lift, monoid } = reduce;
    const zeros = new Set<Tensor>();
    const past = lift.map(e =>
      E.mapExpr(e, {
        load: ({ guard, fill = 0, ...load }) => {
          const storage = storageOf(work.inputs[load.input]!);
          const along = blocked.get(storage);
          const isZero =
            fill === 0 &&
            (along === undefined ? load.at.some(x => axesIn(x).has(axis)) : isAxis(load.at[along], axis));
          if (isZero && along !== undefined) zeros.add(storage);
          return isZero ? { ...load, guard: [never], fill } : load;
        },
      }),
    );
    const isSum = (monoid.parts ?? [monoid]).every(m => m.name === 'sum');
    if (!isSum || !past.every(e => valueOfFills(e) === 0)) continue;
    vanishing.add(work);
    for (const t of zeros) zeroed.add(t);
  }
  return { zeroed, vanishing };
}
