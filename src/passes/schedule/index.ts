import type { Kernel } from '../../ir/kernel.ts';
import { type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import type { Tuned } from '../../ir/tuning.ts';
import { defaultCandidate, findCandidate } from './candidates.ts';
import { commentsOf, inState } from './kernel.ts';
import type { NewTensor, Scheduled } from './kind.ts';
import { workKey } from './same.ts';
import { shapeClass } from './shape-class.ts';

export { isInPlace } from './kernel.ts';
export type { Scheduled } from './kind.ts';

/**
 * Gives every work of a program its kernels, chosen for the target; what `tuned` names for a work goes before what is
 * estimated, where it is legal. Parallel to `program.works`.
 */
export function schedule(program: Program, target: Target, tuned?: Tuned): Scheduled[] {
  let nextId = program.tensors.reduce((n, t) => Math.max(n, t.id), 0) + 1;
  const temporary = (name: string, type: Tensor['type'], origin: Work['origin']): Tensor => ({
    id: nextId++,
    name,
    type,
    role: 'temporary',
    origin,
  });
  const known = new Map<string, { readonly work: Work; readonly scheduled: Scheduled }>();
  return program.works.map(work => {
    const key = workKey(work, inState);
    const like = known.get(key);
    if (like) return again(like.scheduled, like.work, work, temporary);
    const measured = tuned?.(shapeClass(work));
    const found = measured === undefined ? undefined : findCandidate(work, target, measured);
    const choice = found ?? defaultCandidate(work, target);
    const scheduled = choice.make(temporary);
    known.set(key, { work, scheduled });
    return scheduled;
  });
}

/** The kernels of a work for another one that does the same to other tensors. */
function again(scheduled: Scheduled, before: Work, work: Work, temporary: NewTensor): Scheduled {
  const rename = (name: string): string => work.name + name.slice(before.name.length);
  const temporaries = scheduled.temporaries.map(t => temporary(rename(t.name), t.type, work.origin));
  const tensors = new Map<Tensor, Tensor>();
  const pair = (from: readonly Tensor[], to: readonly Tensor[]): void =>
    from.forEach((t, i) => {
      tensors.set(storageOf(t), storageOf(to[i]!));
    });
  pair(before.inputs, work.inputs);
  pair(before.outputs, work.outputs);
  pair(scheduled.temporaries, temporaries);
  const kernels = scheduled.kernels.map(
    (kernel): Kernel => ({
      ...kernel,
      name: rename(kernel.name),
      origin: work.origin,
      comments: commentsOf(work),
      buffers: kernel.buffers.map(b => ({ ...b, tensor: tensors.get(b.tensor)! })),
    }),
  );
  return { kernels, temporaries };
}
