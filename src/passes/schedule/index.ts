import type { Compute } from '../../ir/compute.ts';
import type { Kernel, KernelBuffer } from '../../ir/kernel.ts';
import { type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { place } from '../../support/source.ts';
import { chooseMap, chooseMapTiles, chooseSplit, chooseTiles } from './choose.ts';
import { chooseLaneMap, chooseLanes } from './cpu/choose.ts';
import { emitLaneMap } from './cpu/map.ts';
import { emitLaneTiles } from './cpu/reduce.ts';
import { Emitter } from './emitter.ts';
import { emitMap } from './map.ts';
import {
  asProduct,
  type BlockChoice,
  chooseBlock,
  chooseDepthSplit,
  invocations,
  type Product,
} from './product.ts';
import { workKey } from './same.ts';
import { splitReduction } from './split.ts';
import { emitTiles, type TileChoice } from './tile.ts';
import { emitWorkgroupTiles } from './workgroup.ts';

/** The kernels that one work became, in order, and the tensors that only they use. */
export interface Scheduled {
  readonly kernels: readonly Kernel[];
  readonly temporaries: readonly Tensor[];
}

/** Works with their kernels, by all that those depend on and the names in them. */
export type KnownWorks = Map<string, { readonly work: Work; readonly scheduled: Scheduled }>;

/**
 * Gives every work of a program its kernels, chosen for the target. Parallel to `program.works`. Programs on the same
 * parameters have works in common: `shared` is what others have been given for the same target.
 */
export function schedule(program: Program, target: Target, shared: KnownWorks = new Map()): Scheduled[] {
  let nextId = program.tensors.reduce((n, t) => Math.max(n, t.id), 0) + 1;
  const temporary = (name: string, type: Tensor['type'], origin: Work['origin']): Tensor => ({
    id: nextId++,
    name,
    type,
    role: 'temporary',
    origin,
  });
  const own: KnownWorks = new Map();
  return program.works.map(work => {
    const key = workKey(work, inState);
    const like = own.get(key);
    if (like) return again(like.scheduled, like.work, work, temporary);
    const names = [work.name, ...[...work.inputs, ...work.outputs].map(t => storageOf(t).name)];
    const named = `${names.join()}\n${key}`;
    const same = shared.get(named);
    const scheduled = same
      ? again(same.scheduled, same.work, work, temporary)
      : scheduleWork(work, target, temporary);
    own.set(key, { work, scheduled });
    if (!same) shared.set(named, { work, scheduled });
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

function scheduleWork(
  work: Work,
  target: Target,
  temporary: (name: string, type: Tensor['type'], origin: Work['origin']) => Tensor,
): Scheduled {
  const [compute] = work.region.stages;
  if (!compute || work.region.stages.length > 1)
    throw new Error('a region of several stages has no schedule yet');
  if (target.kind === 'cpu') return { kernels: [laneKernel(work, compute)], temporaries: [] };
  if (!compute.reduce) {
    const tiles = chooseMapTiles(compute, target, isInPlace(work));
    if (tiles) return { kernels: [tileKernel(work, compute, tiles, target)], temporaries: [] };
    const choice = chooseMap(compute, target);
    const kernel = emitKernel(work, choice.workgroupSize, emitter => emitMap(emitter, work, compute, choice));
    return { kernels: [kernel], temporaries: [] };
  }
  if (target.kind === 'gpu') {
    const blocks = blockKernels(work, compute, target, temporary);
    if (blocks) return blocks;
  }
  const choice = chooseTiles(compute, target, isInPlace(work));
  const split = chooseSplit(compute, target, choice);
  if (!split) return { kernels: [tileKernel(work, compute, choice.tiles, target)], temporaries: [] };
  const { works, temporaries } = splitReduction(work, compute, split.along, split.pieces, temporary);
  const kernels = works.map(part => {
    const [stage] = part.region.stages;
    return tileKernel(part, stage!, chooseTiles(stage!, target, isInPlace(part)).tiles, target);
  });
  return { kernels, temporaries };
}

/** Vectors and register tiles for a CPU. */
function laneKernel(work: Work, compute: Compute): Kernel {
  return emitKernel(
    work,
    1,
    emitter =>
      compute.reduce
        ? emitLaneTiles(emitter, work, compute, chooseLanes(compute, isInPlace(work)))
        : emitLaneMap(emitter, work, compute, chooseLaneMap(compute)),
    true,
  );
}

function tileKernel(work: Work, compute: Compute, choice: TileChoice, { kind }: Target): Kernel {
  const emit = (emitter: Emitter): Emitted => emitTiles(emitter, work, compute, choice);
  return emitKernel(work, choice.workgroupSize, emit, kind === 'software');
}

type NewTensor = Parameters<typeof splitReduction>[4];

/** Workgroup tiles, over parts of the reduction where the outputs alone would leave most of a GPU idle. */
function blockKernels(
  work: Work,
  compute: Compute,
  target: Target,
  temporary: NewTensor,
): Scheduled | undefined {
  const product = asProduct(compute);
  const block = product && chooseBlock(compute, product, target);
  if (!block) return undefined;
  const split = chooseDepthSplit(compute, product, block);
  if (!split) return { kernels: [blockKernel(work, compute, product, block)], temporaries: [] };
  const { works, temporaries } = splitReduction(work, compute, split.along, split.pieces, temporary);
  const [partial, finish] = works.map(w => w.region.stages[0]!) as [Compute, Compute];
  const part = asProduct(partial);
  const first = part
    ? blockKernel(works[0], partial, part, block)
    : tileKernel(works[0], partial, chooseTiles(partial, target).tiles, target);
  const tiles = chooseTiles(finish, target, isInPlace(works[1])).tiles;
  return { kernels: [first, tileKernel(works[1], finish, tiles, target)], temporaries };
}

function blockKernel(work: Work, compute: Compute, product: Product, block: BlockChoice): Kernel {
  return emitKernel(work, invocations(block), emitter =>
    emitWorkgroupTiles(emitter, work, compute, product, block),
  );
}

type Emitted = Kernel['groups'] | { readonly groups: Kernel['groups']; readonly shared: Kernel['shared'] };

function emitKernel(
  work: Work,
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
    buffers: shareAccess(emitter.buffers),
    workgroupSize,
    groups,
    shared,
    body: emitter.statements,
  };
}

function commentsOf({ origin: { path, span }, absorbed }: Work): string[] {
  const from = [path, span && place(span)].filter(Boolean).join(', ');
  return [from, absorbed.join(' + ')].filter(Boolean);
}

/** Whether it may read what it overwrites: parameters and state of a training step, states of a loop. */
export function isInPlace({ inputs, outputs }: Work): boolean {
  const read = new Set(inputs.map(storageOf));
  return outputs.some(t => inState(storageOf(t)) || read.has(storageOf(t)));
}

function inState(t: Tensor): boolean {
  return t.role === 'param' || t.role === 'state' || (t.role === 'pack' && t.path === 'state');
}

/**
 * In one dispatch a buffer may not be bound read-only in one range and writable in another. Parameters and state
 * lie in one buffer, everything else in the arena, so a write to one makes all its neighbours writable.
 */
function shareAccess(buffers: readonly KernelBuffer[]): KernelBuffer[] {
  return buffers.map(buffer => {
    const written = buffers.some(
      b => b.access === 'read_write' && inState(b.tensor) === inState(buffer.tensor),
    );
    return { ...buffer, access: written ? 'read_write' : 'read' };
  });
}
