import type { Region } from './compute.ts';
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
