/**
 * What the compiler hands the runtime: buffers, kernels and dispatches, all decided. Sizes that depend on free dims
 * are functions of them, in the order of `Program.dims`; the runtime evaluates nothing else.
 */
export type Size = number | ((...dims: number[]) => number);

export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'u8' | 'bool';

/** One exported net or training program with everything it runs. */
export interface Model {
  readonly name: string;
  /** Bytes of the buffer that holds parameters and state between runs. */
  readonly stateBytes: number;
  readonly state: readonly StateTensor[];
  /** `predict`, or `init`, `step` (or `step:NAME` for each), `evaluate` and one `net:NAME` per net. */
  readonly programs: Readonly<Record<string, Program>>;
  /** What a training step runs, in order: programs, each for every so many batches. Absent: `step` for each. */
  readonly steps?: readonly (readonly [program: string, every: number])[];
  /** Features the kernels use, to be asked of the adapter. */
  readonly features: readonly string[];
  /** Smallest limits that it needs beyond WebGPU's defaults, whatever the free dims are. */
  readonly limits: Readonly<Record<string, number>>;
  /** How many invocations every subgroup must have; absent: any number. */
  readonly subgroupSize?: number;
  /** What needs them, for messages. */
  readonly needs?: Readonly<Record<string, string>>;
}

/**
 * A parameter or state in the state buffer; `offset` in bytes, a multiple of 256. `bool` and `u8` take a u32 word each,
 * f16 two bytes.
 */
export interface StateTensor {
  readonly name: string;
  readonly role: 'param' | 'state';
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
}

/** A list of dispatches over one arena, recorded into one compute pass. */
export interface Program {
  /** Free dims, each an integer >= 1, found by matching input shapes. */
  readonly dims: readonly string[];
  /**
   * Scalars the host sets. The uniform block is 32-bit words: the dims in order (u32), then these. `seed` has a
   * default, the seed that the model was opened with; without the others a run is an error.
   */
  readonly scalars: readonly Scalar[];
  readonly arenaBytes: Size;
  readonly inputs: readonly Tensor[];
  /** In the arena when the pass is over. */
  readonly outputs: readonly Tensor[];
  readonly kernels: readonly Kernel[];
  readonly dispatches: readonly Dispatch[];
  /** Dispatches before this one depend on parameters alone: they run when those have changed. */
  readonly prologue?: number;
  /** Bytes of what they make. */
  readonly constantBytes?: number;
  /** Whether it changes parameters or state. */
  readonly writes?: boolean;
  /** Dispatches `from` to before `to` run `turns` times; loops inside others come first. Never in the prologue. */
  readonly loops?: readonly (readonly [from: number, to: number, turns: Size])[];
  /** What kernels count in 32 bits and memory does not bound. */
  readonly counts?: readonly (readonly [name: string, size: Size])[];
}

/** A run-time scalar (`epoch`, `iter`) or one word of the random key (`seed`, `step`). */
export interface Scalar {
  readonly name: string;
  readonly dtype: 'f32' | 'i32' | 'u32';
}

/** A tensor in the arena. `u8` input is stored packed, four to a word; `bool`, and `u8` output, as u32 words. */
export interface Tensor {
  readonly name: string;
  readonly dtype: DType;
  /** A number, or the name of a free dim, or a function where it is neither. */
  readonly shape: readonly (Size | string)[];
  readonly offset: Size;
}

export interface Kernel {
  /** Also the WGSL entry point. */
  readonly name: string;
  readonly code: string;
  /** `lenet.dnn:8:8`, for error messages. */
  readonly from: string;
  /** Whether the uniform block is bound, after the storage bindings. */
  readonly uniform: boolean;
}

export interface Dispatch {
  /** Index into `kernels`. */
  readonly kernel: number;
  /** Storage bindings in order: buffer (0 = state, 1 = arena, 2 = constants), byte offset, byte size. */
  readonly bindings: readonly (readonly [buffer: 0 | 1 | 2, offset: Size, bytes: Size])[];
  /** How many workgroups. The grid may have some more, which kernels leave idle. */
  readonly groups: Size;
}
