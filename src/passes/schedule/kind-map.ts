import type { Target } from '../../ir/target.ts';
import { chooseMap } from './choose.ts';
import { describeMap } from './describe.ts';
import { nominalValue } from './grid.ts';
import { emitKernel } from './kernel.ts';
import type { Candidate, ScheduleKind, Subject } from './kind.ts';
import { emitMap, type MapChoice } from './map.ts';

const mapText = ({ perInvocation, workgroupSize }: MapChoice): string =>
  `map ${perInvocation} of ${workgroupSize}`;

function candidate({ work, compute }: Subject, choice: MapChoice, time: number): Candidate {
  const emit = (emitter: Parameters<typeof emitMap>[0]): ReturnType<typeof emitMap> =>
    emitMap(emitter, work, compute, choice);
  return {
    text: mapText(choice),
    family: `map ${choice.perInvocation}`,
    time,
    make: () => ({
      kernels: [emitKernel(work, describeMap(choice), choice.workgroupSize, emit)],
      temporaries: [],
    }),
  };
}

const isFor = ({ compute, target }: Subject): boolean => !compute.reduce && target.kind !== 'cpu';

const fits = (choice: MapChoice, target: Target): boolean =>
  choice.workgroupSize <= target.maxComputeInvocationsPerWorkgroup;

/** Works without a reduction, all axes as one. What is not taken by default has no estimate but how far it is from that. */
export const maps: ScheduleKind = {
  name: 'map',
  best: subject =>
    isFor(subject) ? candidate(subject, chooseMap(subject.compute, subject.target), 0) : undefined,
  *all(subject) {
    if (!isFor(subject)) return;
    const usual = chooseMap(subject.compute, subject.target);
    const total = subject.compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
    for (const perInvocation of [1, 2, 4, 8, 16])
      for (const workgroupSize of [4, 16, 32, 64, 128, 256]) {
        const choice = { perInvocation, workgroupSize };
        if (!fits(choice, subject.target) || perInvocation * workgroupSize > 4 * total) continue;
        const apart =
          Math.abs(Math.log2(perInvocation / usual.perInvocation)) +
          Math.abs(Math.log2(workgroupSize / usual.workgroupSize));
        yield candidate(subject, choice, total * (1 + apart));
      }
  },
};
