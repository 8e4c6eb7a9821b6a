import type { Compute, Index } from '../../ir/compute.ts';
import type { Dim, DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { PlanCount } from '../../ir/plan.ts';
import type { Tensor, Work } from '../../ir/program.ts';
import { mostElements } from '../../ir/target.ts';
import { elementCount } from '../../ir/type.ts';
import { computeLoads } from '../fuse/definition.ts';

/** What workgroups may have more than there is to do, in all. */
const rounding = D.constant(2 ** 24);

/**
 * All that kernels count: the elements of tensors, the points of outputs and of reductions (which may be more, as those
 * that are fused have no memory), invocations, and the positions that are computed before a guard looks at them. What
 * another count reaches for all sizes is left out, and what has more than three `bytes` for each among those that are
 * bound: they end at 2^32.
 */
export function countsOf(
  tensors: readonly Tensor[],
  works: readonly Work[],
  kernels: readonly Kernel[],
  bytes: readonly Dim[],
  sizes: DimEnv,
): readonly PlanCount[] {
  const all = new Map<string, PlanCount>();
  const add = ({ name, origin }: Pick<PlanCount, 'name' | 'origin'>, size: Dim): void => {
    if (all.has(size.key) || ![...D.symbols(size)].every(symbol => symbol in sizes)) return;
    all.set(size.key, { name, origin, size });
  };
  // All other dtypes have a word for each element.
  for (const t of tensors) if (t.type.dtype === 'f16' || t.type.dtype === 'u8') add(t, elementCount(t.type));
  for (const work of works)
    for (const stage of work.region.stages) {
      const { axes, reduce } = stage;
      add(work, D.product(axes.map(a => a.extent)));
      if (reduce) add(work, D.product(reduce.axes.map(a => a.extent)));
      const reach = reachOf(stage);
      if (reach > mostElements) add(work, D.constant(reach));
    }
  for (const k of kernels) add(k, D.scale(k.groups, k.workgroupSize));
  const words = [...new Map(bytes.map(b => [b.key, b])).values()];
  const open = [...all.values()].filter(
    ({ size }) => !words.some(b => D.lowerBound(D.add(D.sub(b, D.scale(size, 3)), rounding)) >= 0),
  );
  return highest(open, sizes);
}

function highest(list: readonly PlanCount[], sizes: DimEnv): PlanCount[] {
  const at = new Map(list.map(c => [c, D.evaluate(c.size, sizes)]));
  const kept: PlanCount[] = [];
  for (const count of [...list].sort((a, b) => at.get(b)! - at.get(a)!))
    if (!kept.some(k => D.lowerBound(D.sub(k.size, count.size)) >= 0)) kept.push(count);
  return kept;
}

/** How far from 0 positions of loads come, with their parts, as far as that is a number. */
function reachOf(compute: Compute): number {
  let most = 0;
  const known = new Map<Index, readonly [number, number]>();
  const range = (index: Index): readonly [number, number] => {
    let found = known.get(index);
    if (!found) {
      known.set(index, (found = rangeOf(index, range)));
      most = Math.max(most, ...found.map(Math.abs));
    }
    return found;
  };
  for (const load of computeLoads(compute)) for (const index of load.at) range(index);
  return most;
}

/** What depends on sizes or on values counts as 0: tensors bound it, or it is brought into its range. */
function rangeOf(
  index: Index,
  range: (index: Index) => readonly [number, number],
): readonly [number, number] {
  switch (index.kind) {
    case 'dim': {
      const n = D.constantValue(index.dim) ?? 0;
      return [n, n];
    }
    case 'axis':
      return [0, Math.max(0, (D.constantValue(index.axis.extent) ?? 1) - 1)];
    case 'value':
      return [0, 0];
    case 'op': {
      const [a, b] = [range(index.a), range(index.b)];
      if (index.op === 'add') return [a[0] + b[0], a[1] + b[1]];
      if (index.op === 'mul') {
        const all = a.flatMap(x => b.map(y => x * y));
        return [Math.min(...all), Math.max(...all)];
      }
      if (index.op === 'min') return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
      if (index.op === 'max') return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
      // Never further from 0 than what is divided, or than the divisor.
      return index.op === 'mod'
        ? [Math.min(0, b[0]), Math.max(0, b[1])]
        : [Math.min(0, a[0]), Math.max(0, a[1])];
    }
  }
}
