import type { Axis, Compute, Index, Out } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import type { Work } from '../../ir/program.ts';

export const isAxis = (x: Index | undefined, axis: Axis): boolean => x?.kind === 'axis' && x.axis === axis;

/** All axes that an index depends on, those that choose what is read for it included. */
export function axesIn(x: Index): Set<Axis> {
  const found = new Set<Axis>();
  E.visitIndex(x, { axis: a => void found.add(a) });
  return found;
}

/** The axes over which an out is stored. */
export const keptAxes = ({ axes }: Compute, { keep }: Out): readonly Axis[] =>
  keep ? axes.filter(a => keep.includes(a)) : axes;

/** Works of one stage outside of loops: what turns hand to each other keeps its layout. */
export const stageOf = ({ region, loop }: Work): Compute | undefined =>
  loop || region.stages.length !== 1 || region.outer.length > 0 ? undefined : region.stages[0];
