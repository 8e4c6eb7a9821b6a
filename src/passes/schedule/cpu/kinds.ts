import type { Axis, Compute } from '../../../ir/compute.ts';
import { describeLaneMap, describeLanes } from '../describe.ts';
import { nominalValue } from '../grid.ts';
import { emitKernel, isInPlace } from '../kernel.ts';
import type { Candidate, ScheduleKind, Subject } from '../kind.ts';
import { allLaneMaps, allLanes, chooseLaneMap, type Ranked, rankLanes } from './choose.ts';
import { emitLaneMap, type LaneMapChoice } from './map.ts';
import { emitLaneTiles, type LaneChoice } from './reduce.ts';

/** `vectors 2x1x4 lane 2 by 2 order 0,2,1 block 5`; axes of the reduction count on from those of the outputs. */
function laneText({ axes, reduce }: Compute, { lane, vectors, tile, order, block }: LaneChoice): string {
  const all = [...axes, ...reduce!.axes];
  const at = (a: Axis): number => all.indexOf(a);
  return [
    `vectors ${axes.map(a => tile.get(a) ?? 1).join('x') || '1'}`,
    ...(lane ? [`lane ${at(lane)} by ${vectors}`] : []),
    ...(axes.length > 1 ? [`order ${order.map(at).join()}`] : []),
    ...(block ? [`block ${block}`] : []),
  ].join(' ');
}

function tiles({ work, compute }: Subject, { choice, time }: Ranked): Candidate {
  const text = laneText(compute, choice);
  return {
    text,
    family: text.split(' order ')[0]!,
    time,
    make: () => ({
      kernels: [
        emitKernel(
          work,
          describeLanes(compute, choice),
          1,
          emitter => emitLaneTiles(emitter, work, compute, choice),
          true,
        ),
      ],
      temporaries: [],
    }),
  };
}

function map({ work, compute }: Subject, choice: LaneMapChoice): Candidate {
  const text = choice.lane ? `lanes ${compute.axes.indexOf(choice.lane)}` : 'lanes none';
  return {
    text,
    family: text,
    time: choice.elementTime * compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1),
    make: () => ({
      kernels: [
        emitKernel(
          work,
          describeLaneMap(choice),
          1,
          emitter => emitLaneMap(emitter, work, compute, choice),
          true,
        ),
      ],
      temporaries: [],
    }),
  };
}

/** Reductions in tiles of vectors. */
export const laneTiles: ScheduleKind = {
  name: 'vectors',
  best: s =>
    s.target.kind === 'cpu' && s.compute.reduce
      ? tiles(s, rankLanes(s.compute, isInPlace(s.work)))
      : undefined,
  *all(s) {
    if (s.target.kind !== 'cpu' || !s.compute.reduce) return;
    for (const ranked of allLanes(s.compute, isInPlace(s.work))) yield tiles(s, ranked);
  },
};

/** Everything else in loops of vectors. */
export const laneMaps: ScheduleKind = {
  name: 'lanes',
  best: s => (s.target.kind === 'cpu' && !s.compute.reduce ? map(s, chooseLaneMap(s.compute)) : undefined),
  *all(s) {
    if (s.target.kind === 'cpu' && !s.compute.reduce)
      for (const choice of allLaneMaps(s.compute)) yield map(s, choice);
  },
};
