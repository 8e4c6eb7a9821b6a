import type { Axis, Compute } from '../../ir/compute.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import {
  allMapTiles,
  allSplits,
  allTiles,
  type Choice,
  chooseMapTiles,
  chooseSplit,
  chooseTiles,
  type Split,
} from './choose.ts';
import { describeTiles } from './describe.ts';
import { emitKernel, isInPlace } from './kernel.ts';
import type { Candidate, ScheduleKind, Subject } from './kind.ts';
import { splitReduction } from './split.ts';
import { emitTiles, type TileChoice } from './tile.ts';

/** `registers 1x4x8 over 1x3x3 of 64 shared 0,2`: outputs of an invocation, unrolled points, workgroup, shared axes. */
function tileText({ axes, reduce }: Compute, { tile, unroll, workgroupSize, shared }: TileChoice): string {
  const sizes = (all: readonly Axis[], of: ReadonlyMap<Axis, number>): string =>
    all.map(a => of.get(a) ?? 1).join('x') || '1';
  return [
    `registers ${sizes(axes, tile)}`,
    ...(reduce ? [`over ${sizes(reduce.axes, unroll)}`] : []),
    `of ${workgroupSize}`,
    ...(shared ? [`shared ${axes.flatMap((a, i) => (shared.has(a) ? [i] : [])).join()}`] : []),
  ].join(' ');
}

/** A kernel of register tiles. */
function tileKernel(work: Work, compute: Compute, choice: TileChoice, { kind }: Target): Kernel {
  const emit = (emitter: Parameters<typeof emitTiles>[0]): ReturnType<typeof emitTiles> =>
    emitTiles(emitter, work, compute, choice);
  return emitKernel(work, describeTiles(compute, choice), choice.workgroupSize, emit, kind === 'software');
}

/** The same with the best tiles. */
export function bestTileKernel(work: Work, target: Target): Kernel {
  const [compute] = work.region.stages;
  return tileKernel(work, compute!, chooseTiles(compute!, target, isInPlace(work)).tiles, target);
}

function whole({ work, compute, target }: Subject, { tiles, time }: Choice): Candidate {
  let text: string | undefined;
  return {
    get text() {
      text ??= tileText(compute, tiles);
      return text;
    },
    get family() {
      return this.text.split(' over ')[0]!;
    },
    time,
    make: () => ({ kernels: [tileKernel(work, compute, tiles, target)], temporaries: [] }),
  };
}

function inParts({ work, compute, target }: Subject, { along, pieces, time }: Split): Candidate {
  return {
    text: `registers split ${pieces} along ${compute.reduce!.axes.indexOf(along)}`,
    family: 'registers split',
    time,
    make: temporary => {
      const { works, temporaries } = splitReduction(work, compute, along, pieces, temporary);
      return { kernels: works.map(part => bestTileKernel(part, target)), temporaries };
    },
  };
}

/** Tiles in registers: of any reduction, and of maps where indices are dear. */
export const registerTiles: ScheduleKind = {
  name: 'registers',
  best(subject) {
    const { work, compute, target } = subject;
    if (target.kind === 'cpu') return undefined;
    if (!compute.reduce) {
      const tiles = chooseMapTiles(compute, target, isInPlace(work));
      return tiles && whole(subject, tiles);
    }
    const choice = chooseTiles(compute, target, isInPlace(work));
    const split = chooseSplit(compute, target, choice);
    return split ? inParts(subject, split) : whole(subject, choice);
  },
  *all(subject) {
    const { work, compute, target } = subject;
    if (target.kind === 'cpu') return;
    const tiles = compute.reduce ? allTiles : allMapTiles;
    for (const choice of tiles(compute, target, isInPlace(work))) yield whole(subject, choice);
    if (compute.reduce) for (const split of allSplits(compute, target)) yield inParts(subject, split);
  },
};
