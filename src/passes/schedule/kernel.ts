import type { Kernel, KernelBuffer } from '../../ir/kernel.ts';
import { storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { place } from '../../support/source.ts';
import type { Description } from './describe.ts';
import { Emitter } from './emitter.ts';

/** What writing the statements of a kernel gives: its number of workgroups, and the memory that they share. */
export type Emitted =
  | Kernel['groups']
  | { readonly groups: Kernel['groups']; readonly shared: Kernel['shared'] };

/** A kernel out of what `emit` writes, by a schedule that comes to a description. `hoists`: see `Emitter`. */
export function emitKernel(
  work: Work,
  description: Description,
  workgroupSize: number,
  emit: (emitter: Emitter) => Emitted,
  hoists = false,
): Kernel {
  const emitter = new Emitter(work.inputs, work.outputs, hoists);
  const emitted = emit(emitter);
  const { groups, shared } = 'terms' in emitted ? { groups: emitted, shared: [] } : emitted;
  return {
    name: work.name,
    origin: work.origin,
    comments: commentsOf(work),
    buffers: shareAccess(emitter),
    workgroupSize,
    groups,
    shared,
    body: emitter.statements,
    schedule: {
      ...description,
      ...(work.role && { role: work.role }),
      absorbed: work.absorbed,
      compute: work.region.stages[0]!,
    },
  };
}

export function commentsOf({ origin: { path, span }, absorbed }: Work): string[] {
  const from = [path, span && place(span)].filter(Boolean).join(', ');
  return [from, absorbed.join(' + ')].filter(Boolean);
}

/** Whether it may read what it overwrites: parameters and state of a training step, states of a loop. */
export function isInPlace({ inputs, outputs }: Work): boolean {
  const read = new Set(inputs.map(storageOf));
  return outputs.some(t => inState(storageOf(t)) || read.has(storageOf(t)));
}

export function inState(t: Tensor): boolean {
  return t.role === 'param' || t.role === 'state' || (t.role === 'pack' && t.path === 'state');
}

/**
 * In one dispatch a buffer may not be bound read-only in one range and writable in another. Parameters and state
 * lie in one buffer, everything else in the arena, so a write to one makes all its neighbours writable.
 */
function shareAccess(emitter: Emitter): KernelBuffer[] {
  const { buffers } = emitter;
  return buffers.map(buffer => {
    const written = buffers.some(
      b => b.access === 'read_write' && inState(b.tensor) === inState(buffer.tensor),
    );
    return {
      ...buffer,
      access: written ? 'read_write' : 'read',
      ...(emitter.isInVectors(buffer) && { vectors: true }),
    };
  });
}
