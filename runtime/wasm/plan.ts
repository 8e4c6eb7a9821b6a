import type { Scalar, Size, StateTensor, Tensor } from '../plan.ts';
import type { Module } from './engine.ts';

/** One exported net or training program for WebAssembly; see `Model` of the GPU for what both have. */
export interface WasmModel {
  readonly name: string;
  readonly stateBytes: number;
  readonly state: readonly StateTensor[];
  /** Plans of the same program for different sizes; the first that fits is taken. */
  readonly programs: Readonly<Record<string, readonly WasmProgram[]>>;
  readonly steps?: readonly (readonly [program: string, every: number])[];
  /** The module with all kernels: its bytes, or where they lie, or compiled. */
  readonly module: WasmSource;
}

export type WasmSource = URL | string | Uint8Array<ArrayBuffer> | ArrayBuffer | Module;

/** Dispatches over one arena, walked by the module's driver. */
export interface WasmProgram {
  /** Whether it is made for these free dims; absent: for all. */
  readonly fits?: (...dims: number[]) => boolean;
  readonly dims: readonly string[];
  /** The uniform block is 32-bit words: the dims in order, then these. */
  readonly scalars: readonly Scalar[];
  readonly arenaBytes: Size;
  /** Memory for what the prologue makes. */
  readonly constantBytes: Size;
  /** Dispatches before this one depend on parameters alone: they run when those have changed. */
  readonly prologue: number;
  /** Whether it changes parameters or state. */
  readonly writes: boolean;
  /** Most scratch memory that a kernel takes, in bytes. */
  readonly scratchBytes: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly dispatches: readonly WasmDispatch[];
  /** Dispatches `from` to before `to` run `turns` times; loops inside others come first. Never in the prologue. */
  readonly loops?: readonly (readonly [from: number, to: number, turns: Size])[];
  /** What kernels count in 32 bits and memory does not bound. */
  readonly counts?: readonly (readonly [name: string, size: Size])[];
}

export interface WasmDispatch {
  /** Index in the module's function table. */
  readonly kernel: number;
  /** Buffers in the kernel's order: buffer (0 = state, 1 = arena, 2 = constants), byte offset, byte size. */
  readonly bindings: readonly (readonly [buffer: 0 | 1 | 2, offset: Size, bytes: Size])[];
  readonly groups: Size;
}
