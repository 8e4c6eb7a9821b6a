import * as A from '../ir/affine.ts';
import type { Axis, Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import type { Program, Work } from '../ir/program.ts';
import { mapCompute } from './fuse/definition.ts';

/** An axis of one point is 0 wherever it stands: `n + c` is `n`, and a 1 x 1 filter does not slide. */
export function dropUnitAxes(program: Program): Program {
  const isUnit = (a: Axis): boolean => D.isConstant(a.extent, 1);
  const axis = (a: Axis): Index | undefined => (isUnit(a) ? A.index(0) : undefined);
  const works = program.works.map((work): Work => {
    const { outer, stages } = work.region;
    if (!stages.some(s => [...s.axes, ...(s.reduce?.axes ?? [])].some(isUnit))) return work;
    return { ...work, region: { outer, stages: stages.map(s => mapCompute(s, { axis })) } };
  });
  return { ...program, works };
}
