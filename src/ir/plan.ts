import type { Dim } from './dim.ts';
import * as D from './dim.ts';
import type { Origin } from './graph.ts';
import type { Kernel } from './kernel.ts';
import type { LoopRange, Tensor } from './program.ts';
import type { DType, TensorType } from './type.ts';

/** Buffers at offsets of the state buffer and the arena, and the dispatches over them, for one program. */
export interface Plan {
  readonly name: string;
  /** Free dims in a fixed order. */
  readonly dims: readonly string[];
  /** Words of the uniform block after the dims. */
  readonly scalars: readonly { readonly name: string; readonly dtype: 'f32' | 'i32' | 'u32' }[];
  readonly arenaBytes: Dim;
  /** Dispatches before this one depend on parameters alone, and write nothing but constants; none if absent. */
  readonly prologue?: number;
  /** Memory for what the prologue makes; none if absent. */
  readonly constantBytes?: Dim;
  readonly inputs: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
  /** Distinct kernels; dispatches refer to them by position. */
  readonly kernels: readonly Kernel[];
  readonly dispatches: readonly PlanDispatch[];
  /** Dispatches that run again for each turn of a loop; inner loops before those around them. */
  readonly loops: readonly LoopRange[];
  /** What lies in the arena, in the order in which it comes to life. */
  readonly blocks: readonly PlanBlock[];
  /** Extents that nothing shows to be positive (`H - 4`): the plan holds only for sizes where each is at least 1. */
  readonly positive: readonly Dim[];
  /** What kernels count in 32 bits, the largest of each kind: elements of tensors, points of loops, invocations. */
  readonly counts: readonly PlanCount[];
  /** For `explain`: bytes of all temporaries together, and the most that are live at once. */
  readonly totalBytes: Dim;
  readonly liveBytes: (sizes: Readonly<Record<string, number>>) => number;
}

export interface PlanCount {
  readonly name: string;
  readonly origin: Origin;
  readonly size: Dim;
}

export interface PlanTensor {
  /** The host's name for it. */
  readonly name: string;
  readonly role: 'input' | 'data' | 'result' | 'metric';
  readonly type: TensorType;
  readonly tensor: Tensor;
  /** Byte offset in the arena. */
  readonly offset: Dim;
}

/** Memory of the arena that belongs to one tensor, or to the members of a pack, while they are alive. */
export interface PlanBlock {
  readonly tensor: Tensor;
  /** Members of a pack; the tensor alone otherwise. */
  readonly members: readonly Tensor[];
  readonly offset: Dim;
  readonly bytes: Dim;
  /** First and last dispatch that need it; -1: written by the host, `dispatches.length`: read by the host. */
  readonly from: number;
  readonly to: number;
}

export interface PlanDispatch {
  /** What this dispatch does, which its kernel's name does not say where the kernel is shared. */
  readonly name: string;
  readonly origin: Origin;
  /** Which of the plan's kernels. */
  readonly kernel: number;
  /** The kernel that was scheduled for it, which may be a later one of several that are the same. */
  readonly scheduled: Kernel;
  /** Storage bindings in the order of the kernel's buffers. */
  readonly bindings: readonly Binding[];
}

export interface Binding {
  readonly tensor: Tensor;
  readonly buffer: 'state' | 'arena' | 'constants';
  readonly offset: Dim;
  readonly bytes: Dim;
}

/** Where parameters and states lie; one layout for all programs of a file. */
export interface StateLayout {
  readonly bytes: number;
  readonly tensors: readonly StateSlot[];
}

export interface StateSlot {
  readonly name: string;
  readonly role: 'param' | 'state';
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes, a multiple of 256. */
  readonly offset: number;
}

/** What some plans bind of the state buffer, in multiples of 256 bytes, ascending and apart. */
export function usedRanges(
  plans: readonly Plan[],
): readonly { readonly start: number; readonly end: number }[] {
  const all = plans.flatMap(({ dispatches }) =>
    dispatches.flatMap(({ bindings }) =>
      bindings.flatMap(({ buffer, offset, bytes }) => {
        if (buffer !== 'state') return [];
        const start = D.evaluate(offset);
        return [{ start, end: Math.ceil((start + D.evaluate(bytes)) / 256) * 256 }];
      }),
    ),
  );
  const merged: { start: number; end: number }[] = [];
  for (const range of all.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push(range);
  }
  return merged;
}
