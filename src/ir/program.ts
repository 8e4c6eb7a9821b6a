import type { Region } from './compute.ts';
import type { Dim, DimEnv } from './dim.ts';
import * as D from './dim.ts';
import type { Origin, Output } from './graph.ts';
import type { TensorType } from './type.ts';

/**
 * Fused work: the graph after fusion, a list of works over materialised tensors. Everything that is not a tensor
 * here has been inlined into the expressions of a work.
 */
export interface Program {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  /** In an order in which every tensor is written before it is read. */
  readonly works: readonly Work[];
  readonly outputs: readonly ProgramOutput[];
}

export interface Tensor {
  readonly id: number;
  /** A word that may stand in generated code; unique in its program. */
  readonly name: string;
  readonly type: TensorType;
  /** Inputs keep the role and name they have in the graph; `temporary` is made by a work; `pack` holds others side by side. */
  readonly role: 'input' | 'data' | 'param' | 'state' | 'scalar' | 'key' | 'temporary' | 'pack';
  /** The path of an input, which is its name for the host. */
  readonly path?: string;
  /** The same storage under another shape (reshape). */
  readonly view?: Tensor;
  /** Where it lies inside a pack, in elements. */
  readonly within?: { readonly pack: Tensor; readonly offset: number };
  readonly origin: Origin;
}

/** One fused unit; becomes one kernel or a few. */
export interface Work {
  readonly name: string;
  readonly origin: Origin;
  /** Loads of the region's stages refer to these by position, then to the outputs of earlier stages. */
  readonly inputs: readonly Tensor[];
  readonly region: Region;
  /** One per `outs` entry of the last stage. A tensor of role param, state or pack is updated in place. */
  readonly outputs: readonly Tensor[];
  /** What was fused into it, for `explain` and comments: `convolution + add + tanh`. */
  readonly absorbed: readonly string[];
  /** Which part it is of what was one work (`Winograd products`) or beside it (`copy in panels`), for people. */
  readonly role?: string;
  /** The loop it is part of: works of one loop stand together, and run again for each of its turns. */
  readonly loop?: Loop;
}

/** Identity is the object's. */
export interface Loop {
  readonly name: string;
  /** How many turns; may depend on free dims. */
  readonly steps: Dim;
  /** The loop around it. */
  readonly parent?: Loop;
}

export interface ProgramOutput {
  readonly name: string;
  readonly role: Output['role'];
  readonly tensor: Tensor;
  /** For `update`: the param or state that has this value afterwards. */
  readonly target?: string;
}

/** The tensor whose storage this one shares. */
export function storageOf(tensor: Tensor): Tensor {
  return tensor.view ? storageOf(tensor.view) : tensor;
}

/** A loop's part of a list: entries `from` to before `to`. */
export interface LoopRange {
  readonly loop: Loop;
  readonly from: number;
  readonly to: number;
}

/** Where the loops of a list lie, inner ones before those around them. */
export function loopRanges(list: readonly { readonly loop?: Loop | undefined }[]): LoopRange[] {
  const found = new Map<Loop, { from: number; to: number; depth: number }>();
  list.forEach(({ loop }, i) => {
    const around: Loop[] = [];
    for (let l = loop; l; l = l.parent) around.push(l);
    around.forEach((l, k) => {
      const known = found.get(l);
      if (known) known.to = i + 1;
      else found.set(l, { from: i, to: i + 1, depth: around.length - k });
    });
  });
  return [...found]
    .sort(([, a], [, b]) => b.depth - a.depth)
    .map(([loop, { from, to }]) => ({ loop, from, to }));
}

/** The entries of a list in the order in which they run, those of loops once for each turn. */
export function inRunningOrder(
  count: number,
  ranges: readonly LoopRange[],
  turns: (loop: Loop) => number,
): number[] {
  const runs = Array.from({ length: count }, (_, i) => [i]);
  for (const { loop, from, to } of ranges) {
    const turn = runs.slice(from, to).flat();
    runs.fill([], from, to);
    runs[from] = Array.from({ length: turns(loop) }, () => turn).flat();
  }
  return runs.flat();
}

/** How many turns a loop takes at given sizes. */
export const turnsAt =
  (sizes: DimEnv) =>
  ({ steps }: Loop): number =>
    D.evaluate(steps, sizes);
