import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Kernel } from '../ir/kernel.ts';
import { bufferUses } from '../ir/kernel-access.ts';
import type {
  Binding,
  Plan,
  PlanBlock,
  PlanDispatch,
  PlanTensor,
  StateLayout,
  StateSlot,
} from '../ir/plan.ts';
import type { LoopRange, Program, Tensor } from '../ir/program.ts';
import { loopRanges, storageOf } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import { InternalError } from '../support/internal-error.ts';
import { countsOf } from './plan/counts.ts';
import { mostLive } from './plan/pack-intervals.ts';
import { alignedBytes, place } from './plan/placement.ts';
import { prologueOf } from './plan/prologue.ts';
import { KernelList } from './plan/share.ts';
import {
  align,
  alignment,
  packMembers,
  slotBytes,
  stateOffset,
  tensorBytes,
  unitOf,
} from './plan/storage.ts';
import { nominal } from './prices.ts';

/** The kernels that one work became, in order, and the tensors between them. */
export interface WorkKernels {
  readonly kernels: readonly Kernel[];
  readonly temporaries: readonly Tensor[];
}

export interface PlanOptions {
  /** Memory is used again once its tensor is dead (default). `false` keeps every tensor to be looked at. */
  readonly reuse?: boolean;
  /** The sizes for which memory is packed; nominal ones for other free dims. */
  readonly sizes?: DimEnv;
}

/** Parameters and states one after the other in the order given, each at a multiple of 256 bytes. Shapes must be constant. */
export function layoutState(
  inputs: readonly { readonly name: string; readonly role: 'param' | 'state'; readonly type: TensorType }[],
): StateLayout {
  const tensors: StateSlot[] = [];
  const names = new Set<string>();
  let end = 0;
  for (const { name, role, type } of inputs) {
    if (names.has(name)) throw new InternalError(`${name} is laid out twice`);
    names.add(name);
    const shape = type.shape.map(d => {
      const n = D.constantValue(d);
      if (n === undefined) throw new InternalError(`${role} ${name} has the free extent ${D.print(d)}`);
      return n;
    });
    const slot: StateSlot = { name, role, dtype: type.dtype, shape, offset: align(end) };
    tensors.push(slot);
    end = slot.offset + slotBytes(slot);
  }
  return { bytes: align(end), tensors };
}

/**
 * Gives every tensor a place: parameters and states theirs in the state buffer, everything else a block of the
 * arena for as long as it is needed. What depends on parameters alone comes first and has memory of its own, so that it
 * need not run again. `works` is parallel to `program.works`. No two tensors that a kernel touches
 * share memory.
 */
export function planMemory(
  program: Program,
  works: readonly WorkKernels[],
  layout: StateLayout,
  options: PlanOptions = {},
): Plan {
  if (works.length !== program.works.length)
    throw new InternalError(`${program.works.length} works, kernels for ${works.length}`);
  const tensors = [...program.tensors, ...works.flatMap(w => w.temporaries)];
  checkIds(tensors);
  const members = packMembers(tensors);
  const once = prologueOf(program);
  const written = works.flatMap((w, i) => {
    const work = program.works[i]!;
    return w.kernels.map(kernel => ({ kernel, loop: work.loop, isOnce: once.has(work) }));
  });
  const prologue = written.filter(s => s.isOnce);
  const steps = [...prologue, ...written.filter(s => !s.isOnce)];
  const kernels = steps.map(s => s.kernel);
  const loops = loopRanges(steps);

  const lifetimes = findLifetimes(program, kernels, loops, options.reuse ?? true);
  const bases = new Map<number, Pick<Binding, 'buffer' | 'offset'>>();
  const live: Omit<PlanBlock, 'offset'>[] = [];
  let constantBytes = 0;
  for (const { root, from, to, readFirst } of lifetimes) {
    const inside = members.get(root.id) ?? [root];
    const at = stateOffset(root, inside, layout);
    if (at !== undefined) bases.set(root.id, { buffer: 'state', offset: D.constant(at) });
    else if (from === undefined || readFirst)
      throw new InternalError(`${root.name} is read before it is written`);
    else if (from >= 0 && from < prologue.length) {
      bases.set(root.id, { buffer: 'constants', offset: D.constant(constantBytes) });
      constantBytes += align(D.evaluate(tensorBytes(root)));
    } else live.push({ tensor: root, members: inside, bytes: tensorBytes(root), from, to });
  }
  const dims = freeDims(tensors);
  const sizes = Object.fromEntries(dims.map(d => [d, options.sizes?.[d] ?? nominal]));
  const placement = place(live, sizes);
  const blocks = live
    .map((block, i): PlanBlock => ({ ...block, offset: placement.offsets[i]! }))
    .sort((a, b) => a.from - b.from);
  for (const { tensor, offset } of blocks) bases.set(tensor.id, { buffer: 'arena', offset });

  const placeOf = (tensor: Tensor): Pick<Binding, 'buffer' | 'offset'> => {
    const { root, offset } = unitOf(tensor);
    const base = bases.get(root.id)!;
    return { ...base, offset: D.add(base.offset, D.constant(offset)) };
  };
  const list = new KernelList();
  const dispatches = kernels.map((kernel): PlanDispatch => {
    const bindings = kernel.buffers.map(({ tensor }): Binding => {
      if (unitOf(tensor).offset % alignment !== 0)
        throw new InternalError(`${tensor.name} is bound alone but lies unaligned in its pack`);
      return { tensor, ...placeOf(tensor), bytes: tensorBytes(tensor) };
    });
    const { name, origin } = kernel;
    return { name, origin, kernel: list.add(kernel), scheduled: kernel, bindings };
  });

  const bytes = dispatches.flatMap(d => d.bindings.map(b => b.bytes));
  const hostTensor = (tensor: Tensor, name: string, role: PlanTensor['role']): PlanTensor => {
    const { buffer, offset } = placeOf(tensor);
    if (buffer !== 'arena')
      throw new InternalError(`${role} ${name} is a parameter itself, or made once, not a copy of it`);
    const packed = tensor.type.dtype === 'u8' && isFromHost(storageOf(tensor));
    if (packed && role !== 'input' && role !== 'data')
      throw new InternalError(`${role} ${name} is a packed u8 input itself, not a copy of it`);
    return { name, role, type: tensor.type, tensor, offset };
  };
  const scalars = scalarsOf(program);
  const clash = scalars.find(s => dims.includes(s.name));
  if (clash) throw new InternalError(`a free dim and a run-time scalar are both called ${clash.name}`);
  return {
    name: program.name,
    dims,
    scalars,
    arenaBytes: placement.bytes,
    ...(prologue.length > 0 && { prologue: prologue.length, constantBytes: D.constant(constantBytes) }),
    inputs: program.tensors.flatMap(t =>
      !t.view && (t.role === 'input' || t.role === 'data') ? [hostTensor(t, t.path ?? t.name, t.role)] : [],
    ),
    outputs: program.outputs.flatMap(o =>
      o.role === 'update' ? [] : [hostTensor(o.tensor, o.name, o.role)],
    ),
    kernels: list.kernels,
    dispatches,
    loops,
    blocks,
    positive: unprovenExtents(tensors),
    counts: countsOf(tensors, program.works, kernels, bytes, sizes),
    totalBytes: blocks.map(b => alignedBytes(b.bytes)).reduce(D.add, D.constant(0)),
    liveBytes: sizes => mostAlive(blocks, sizes),
  };
}

/** Copies of one tensor may stand in a program (a pass made them), but not two tensors under one number. */
function checkIds(tensors: readonly Tensor[]): void {
  const names = new Map<number, string>();
  for (const { id, name } of tensors) {
    if ((names.get(id) ?? name) !== name)
      throw new InternalError(`${name} and ${names.get(id)} have the same number ${id}`);
    names.set(id, name);
  }
}

const isFromHost = (tensor: Tensor): boolean => tensor.role === 'input' || tensor.role === 'data';

interface Lifetime {
  readonly root: Tensor;
  /** Undefined: never written. */
  from: number | undefined;
  to: number;
  /** Whether something reads it before anything writes it, which only parameters and states may have. */
  readonly readFirst: boolean;
}

/** From the first dispatch that writes a unit of storage to the last that touches it, in the order of first mention. */
function findLifetimes(
  program: Program,
  kernels: readonly Kernel[],
  loops: readonly LoopRange[],
  reuse: boolean,
): Lifetime[] {
  const found = new Map<number, Lifetime>();
  const touch = (tensor: Tensor, at: number, writes: boolean): void => {
    const { root } = unitOf(tensor);
    if (root.role === 'scalar' || root.role === 'key')
      throw new InternalError(`${root.name} lies in the uniform block, not in memory`);
    const known = found.get(root.id) ?? { root, from: undefined, to: at, readFirst: !writes };
    found.set(root.id, known);
    if (writes) known.from ??= at;
    known.to = Math.max(known.to, at);
  };
  for (const tensor of program.tensors) if (isFromHost(tensor) && !tensor.view) touch(tensor, -1, true);
  kernels.forEach((kernel, at) => {
    const { reads, writes } = bufferUses(kernel);
    for (const { tensor, name } of kernel.buffers) {
      if (reads.has(name) || !writes.has(name)) touch(tensor, at, false);
      if (writes.has(name)) touch(tensor, at, true);
    }
  });
  for (const { role, tensor } of program.outputs) if (role !== 'update') touch(tensor, kernels.length, false);
  for (const loop of loops) for (const life of found.values()) spanTurns(life, loop);
  if (!reuse) for (const life of found.values()) life.to = kernels.length;
  return [...found.values()];
}

/** What lives across the border of a loop lives through all of its turns. */
function spanTurns(life: Lifetime, { from, to }: LoopRange): void {
  const last = to - 1;
  const begins = life.from ?? life.to;
  if (life.to < from || begins > last) return;
  if (begins < from) life.to = Math.max(life.to, last);
  else if (life.to > last) life.from = from;
}

/** Free dims in the order in which the host's inputs show them, then any that only other tensors have. */
function freeDims(tensors: readonly Tensor[]): string[] {
  const names = new Set<string>();
  for (const t of [...tensors.filter(isFromHost), ...tensors.filter(t => !isFromHost(t))])
    for (const d of t.type.shape) D.symbols(d, names);
  return [...names];
}

function scalarsOf(program: Program): Plan['scalars'] {
  return program.tensors.flatMap((t): Plan['scalars'] => {
    if (t.role === 'key')
      return [
        { name: 'seed', dtype: 'u32' },
        { name: 'step', dtype: 'u32' },
      ];
    if (t.role !== 'scalar') return [];
    const { dtype } = t.type;
    if (dtype !== 'f32' && dtype !== 'i32' && dtype !== 'u32')
      throw new InternalError(`scalar ${t.name} is ${dtype}`);
    return [{ name: t.path ?? t.name, dtype }];
  });
}

function unprovenExtents(tensors: readonly Tensor[]): D.Dim[] {
  const found = new Map<string, D.Dim>();
  for (const { type } of tensors)
    for (const d of type.shape)
      if (D.constantValue(d) === undefined && D.lowerBound(d) < 1) found.set(d.key, d);
  return [...found.values()];
}

function mostAlive(blocks: readonly PlanBlock[], sizes: DimEnv): number {
  return mostLive(
    blocks.map(({ from, to, bytes }) => ({ from, to, size: D.evaluate(alignedBytes(bytes), sizes) })),
  );
}
