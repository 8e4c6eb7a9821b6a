/** What fusing, scheduling and planning must know about the machine. */
export interface Target {
  readonly name: string;
  /**
   * `gpu`: many cores, fast workgroup memory. `software`: a CPU running shaders, register tiles only. `cpu`: WebAssembly,
   * vectors of four lanes, a few threads, caches.
   */
  readonly kind: 'gpu' | 'software' | 'cpu';
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBufferBindingSize: number;
  /** Bytes that no adapter binds more of at once, and of all memory together where that has an end of its own. */
  readonly mostBytes: { readonly binding: number; readonly memory?: number };
  /** Features that kernels may use, by WebGPU's names. */
  readonly features: ReadonlySet<string>;
  /** Products of small matrices that a subgroup makes at once; none where absent. */
  readonly matrices?: MatrixUnits;
  /** The adapter that it stands for, by the name that it has in tables of measured schedules; absent: any of its kind. */
  readonly adapter?: string;
  /** Rewrites that must pay for themselves are done wherever they can be: small works then test them. */
  readonly eager?: boolean;
}

export interface MatrixUnits {
  /** Invocations of a subgroup, in every kernel alike. */
  readonly subgroupSize: number;
  readonly shapes: readonly MatrixShape[];
  /** `exact` where absent. */
  readonly factors?: MatrixFactors;
}

/**
 * What may become of factors in f32 so that matrix units take them; those in f16 are taken as they are. `exact`: nothing,
 * only factors in f16 are taken; `rounded`: they are rounded to f16; `split`: they are scaled, and taken as two f16 each.
 */
export type MatrixFactors = 'exact' | 'rounded' | 'split';

/** Factors of m x k and k x n with components of one type, summed in another. */
export interface MatrixShape {
  readonly component: 'f16' | 'f32';
  readonly result: 'f16' | 'f32';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Kernels count elements in 32 bits; the last workgroup and the last row of a grid go a little further. */
export const mostElements = 2 ** 31 - 2 ** 16;

/** WebGPU's guaranteed limits. */
const base = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  mostBytes: { binding: 2 ** 32 - 4 },
  features: new Set<string>(),
};

/** Works on every WebGPU device; tuned for hardware. */
export const gpuTarget: Target = { name: 'gpu', kind: 'gpu', ...base };

/** For adapters such as SwiftShader, where workgroup memory is slow and every instruction counts. */
export const softwareTarget: Target = { name: 'software', kind: 'software', ...base };

/** The same where the adapter has subgroups, whose lanes then share loads. */
export const subgroupTarget: Target = {
  ...softwareTarget,
  name: 'software with subgroups',
  features: new Set(['subgroups']),
};

/** WebAssembly with SIMD128: a workgroup is one invocation, memory is one and bindings are addresses. */
export const wasmTarget: Target = {
  name: 'wasm',
  kind: 'cpu',
  maxStorageBuffersPerShaderStage: 64,
  maxComputeInvocationsPerWorkgroup: 1,
  maxComputeWorkgroupStorageSize: 2 ** 20,
  maxStorageBufferBindingSize: 2 ** 32 - 2 ** 16,
  mostBytes: { binding: 2 ** 32 - 2 ** 16, memory: 2 ** 32 },
  features: new Set<string>(),
};
