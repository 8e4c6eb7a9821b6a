import type { Compute } from '../ir/compute.ts';
import type { Program, Work } from '../ir/program.ts';
import { chooseLaneMap, rankLanes } from './schedule/cpu/choose.ts';
import { nominalValue } from './schedule/grid.ts';

/** Estimated nanoseconds of a work on one thread of a CPU. */
export function computeTime(compute: Compute): number {
  if (compute.reduce) return rankLanes(compute, false).time;
  const elements = compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  return chooseLaneMap(compute).elementTime * elements;
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
