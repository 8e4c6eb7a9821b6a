import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import { bufferUses } from '../../ir/kernel-access.ts';
import type { Loop, Program, Tensor } from '../../ir/program.ts';
import { tensorBytes, unitOf } from './storage.ts';

/** A kernel in the order in which it runs. */
export interface Step {
  readonly kernel: Kernel;
  readonly loop: Loop | undefined;
}

/**
 * The steps whose results are the same in every run until parameters change: they read parameters and states that the
 * program nowhere writes, and what other such steps make, and neither free dims nor other numbers of the run. What they
 * write is written by nothing else and is no result, since those lie in the arena.
 */
export function prologueOf({ outputs }: Program, steps: readonly Step[]): ReadonlySet<Step> {
  const uses = new Map(steps.map(step => [step, usesOf(step.kernel)]));
  const writers = new Map<Tensor, Step[]>();
  for (const [step, { writes }] of uses)
    for (const t of writes) writers.set(t, [...(writers.get(t) ?? []), step]);
  const results = new Set(outputs.map(o => unitOf(o.tensor).root));

  const found = new Set(steps.filter(({ kernel, loop }) => !loop && !dependsOnRun(kernel)));
  const isMade = (t: Tensor): boolean =>
    t.role === 'temporary' &&
    !results.has(t) &&
    D.constantValue(tensorBytes(t)) !== undefined &&
    (writers.get(t) ?? []).every(w => found.has(w));
  const isGiven = (t: Tensor): boolean => (t.role === 'param' || t.role === 'state') && !writers.has(t);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const step of found) {
      const { reads, writes } = uses.get(step)!;
      if (!writes.every(isMade) || !reads.every(t => isMade(t) || isGiven(t))) found.delete(step);
    }
  }
  return found;
}

function usesOf(kernel: Kernel): { readonly reads: readonly Tensor[]; readonly writes: readonly Tensor[] } {
  const { reads, writes } = bufferUses(kernel);
  const tensors = (has: (name: string) => boolean): Tensor[] =>
    kernel.buffers.flatMap(b => (has(b.name) ? [unitOf(b.tensor).root] : []));
  // What is bound must be there, also where nothing of it is read.
  return {
    reads: tensors(name => reads.has(name) || !writes.has(name)),
    writes: tensors(n => writes.has(n)),
  };
}

const known = new WeakMap<Kernel['body'], boolean>();

/** Whether it reads the uniform block, or its groups depend on the sizes. */
export function dependsOnRun({ groups, body }: Kernel): boolean {
  if (D.constantValue(groups) === undefined) return true;
  let found = known.get(body);
  if (found === undefined) known.set(body, (found = hasUniform(body)));
  return found;
}

function hasUniform(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  return (node as { kind?: unknown }).kind === 'uniform' || Object.values(node).some(hasUniform);
}
