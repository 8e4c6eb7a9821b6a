import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Program, Tensor, Work } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
import { flopsOf } from '../flops.ts';
import { type OrderProblem, orderProblem } from '../order/units.ts';
import { tensorBytes, unitOf } from '../plan/storage.ts';

/** A program in time: what lives at each unit, and for each block of memory the units that touch it. */
export interface Timeline {
  readonly problem: OrderProblem;
  readonly live: Float64Array;
  /** Ascending positions of units, by block. */
  readonly touches: readonly (readonly number[])[];
  /** Blocks that one work makes alone, outside of loops and packs, which another work could make again. */
  readonly makers: ReadonlyMap<number, Maker>;
  readonly blockOf: (tensor: Tensor) => number | undefined;
  /** Units that write a storage, ascending. */
  readonly writers: ReadonlyMap<number, readonly number[]>;
}

export interface Maker {
  readonly unit: number;
  readonly work: Work;
  readonly tensor: Tensor;
  /** Operations and bytes that making it again takes. */
  readonly cost: number;
}

/** What is in `made` is not made once more. */
export function timeline(program: Program, sizes: DimEnv, made: ReadonlySet<string>): Timeline {
  const problem = orderProblem(program, sizes);
  const { units, blocks, blockOfRoot } = problem;
  const blockOf = (t: Tensor): number | undefined => blockOfRoot.get(unitOf(t).root.id);
  const touches = blocks.map((): number[] => []);
  units.forEach((u, at) => {
    for (const b of u.touches) touches[b]!.push(at);
  });
  const live = new Float64Array(units.length);
  blocks.forEach((b, i) => {
    const from = b.given ? 0 : (touches[i]![0] ?? 0);
    const to = b.kept ? units.length - 1 : (touches[i]!.at(-1) ?? -1);
    for (let at = from; at <= to; at++) live[at]! += b.bytes;
  });
  const writers = new Map<number, number[]>();
  units.forEach((u, at) => {
    for (const c of u.writes) writers.set(c, [...(writers.get(c) ?? []), at]);
  });
  const makers = new Map<number, Maker>();
  units.forEach(({ works }, unit) => {
    const [work] = works;
    if (works.length > 1 || !work || work.loop || work.region.stages.length > 1) return;
    if (made.has(work.name)) return;
    for (const [i, tensor] of work.outputs.entries()) {
      const out = work.region.stages[0]!.outs[i]!;
      if (out.keep || out.partial || tensor.role !== 'temporary' || tensor.view || tensor.within) continue;
      const block = blockOf(tensor);
      if (block === undefined || blocks[block]!.kept || writers.get(tensor.id)!.length !== 1) continue;
      if (work.outputs.filter(t => storageOf(t) === tensor).length > 1) continue;
      makers.set(block, { unit, work, tensor, cost: costOf(work, sizes) });
    }
  });
  return { problem, live, touches, makers, blockOf, writers };
}

const costs = new WeakMap<Work, { readonly sizes: DimEnv; readonly cost: number }>();

/** Operations and bytes. */
function costOf(work: Work, sizes: DimEnv): number {
  const known = costs.get(work);
  if (known?.sizes === sizes) return known.cost;
  const moved = [...work.inputs, ...work.outputs].reduce((n, t) => n + D.evaluate(tensorBytes(t), sizes), 0);
  const cost = flopsOf(work.region.stages[0]!, sizes) + moved;
  costs.set(work, { sizes, cost });
  return cost;
}
