import type { Compute, Expr } from '../ir/compute.ts';
import * as E from '../ir/expr.ts';
import type { Program, Work } from '../ir/program.ts';
import { type Target, wasmTarget } from '../ir/target.ts';
import { loadsOf } from './fuse/definition.ts';
import { prices } from './prices.ts';
import { mapTime } from './schedule/block-time.ts';
import { defaultCandidate } from './schedule/candidates.ts';
import { chooseTiles } from './schedule/choose.ts';
import { chooseLaneMap, rankLanes } from './schedule/cpu/choose.ts';
import { nominalValue } from './schedule/grid.ts';
import { operands } from './schedule/operands.ts';

/**
 * Estimated nanoseconds of a work; on a CPU, of one thread. On a GPU those of the schedule that a sum would have, and of the
 * memory that all else moves.
 */
export function workTime(work: Work, target: Target): number {
  const [compute] = work.region.stages;
  if (target.kind !== 'gpu') return computeTime(compute!, target);
  return compute!.reduce ? defaultCandidate(work, target).time : mapTime(compute!);
}

/** Estimated nanoseconds of a work by its Compute alone. */
export function computeTime(compute: Compute, target: Target = wasmTarget): number {
  if (target.kind !== 'cpu') return kernelTime(compute, target);
  if (compute.reduce) return rankLanes(compute, false).time;
  const elements = compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  return chooseLaneMap(compute).elementTime * elements;
}

function kernelTime(compute: Compute, target: Target): number {
  if (compute.reduce) return chooseTiles(compute, target).time;
  const price = prices[target.kind];
  const points = compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const values = compute.outs.map(o => o.value);
  const memory = new Set(loadsOf(values).map(E.exprKey)).size + values.length;
  const seen = new Set<Expr>();
  const each =
    memory * price.load + values.reduce((n, v) => n + distinctOperations(v, seen), 0) * price.arithmetic;
  return (Math.max(points, price.lanes) / price.lanes) * each + price.dispatch;
}

function distinctOperations(e: Expr, seen: Set<Expr>): number {
  if (seen.has(e)) return 0;
  seen.add(e);
  return operands(e).reduce((n, part) => n + distinctOperations(part, seen), 1);
}

/** Estimated nanoseconds of a whole program. */
export function programTime({ works }: Program): number {
  return works.reduce((n, w) => n + turnsOf(w) * w.region.stages.reduce((t, s) => t + computeTime(s), 0), 0);
}

function turnsOf({ loop }: Work): number {
  let turns = 1;
  for (let l = loop; l; l = l.parent) turns *= nominalValue(l.steps);
  return turns;
}
