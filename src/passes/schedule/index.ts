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

/** Works with their kernels, by all that those depend on. */
export type KnownWorks = Map<string, { readonly work: Work; readonly scheduled: Scheduled }>;

/**
 * Gives every work of a program its kernels, chosen for the target; what `tuned` names for a work goes before what is
 * estimated, where it is legal. Parallel to `program.works`. Programs have works in common: `shared` is what others
 * have been given for the same target; buffers keep the names that they have there.
 */
export function schedule(
  program: Program,
  target: Target,
  tuned?: Tuned,
  shared: KnownWorks = new Map(),
): Scheduled[] {
  let nextId = program.tensors.reduce((n, t) => Math.max(n, t.id), 0) + 1;
  const temporary = (name: string, type: Tensor['type'], origin: Work['origin']): Tensor => ({
    id: nextId++,
    name,
    type,
    role: 'temporary',
    origin,
  });
  return program.works.map(work => {
    const key = workKey(work, inState);
    const like = shared.get(key);
    if (like) return again(like.scheduled, like.work, work, temporary);
    const scheduled = scheduleWork(work, target, tuned, temporary);
    shared.set(key, { work, scheduled });
    return scheduled;
  });
}

function scheduleWork(work: Work, target: Target, tuned: Tuned | undefined, temporary: NewTensor): Scheduled {
  const measured = tuned?.(shapeClass(work, target));
  const found = measured === undefined ? undefined : findCandidate(work, target, measured);
  return (found ?? defaultCandidate(work, target)).make(temporary);
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
      schedule: { ...kernel.schedule!, absorbed: work.absorbed },
      buffers: kernel.buffers.map(b => ({ ...b, tensor: tensors.get(b.tensor)! })),
    }),
  );
  return { kernels, temporaries };
}
