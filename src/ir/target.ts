/** What fusing, scheduling and planning must know about the machine. */
export interface Target {
  readonly name: string;
  /** `gpu`: many cores, fast workgroup memory. `software`: a CPU running shaders, register tiles only. */
  readonly kind: 'gpu' | 'software';
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBufferBindingSize: number;
  /** Features that kernels may use, by WebGPU's names. */
  readonly features: ReadonlySet<string>;
}

/** WebGPU's guaranteed limits. */
const base = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  features: new Set<string>(),
};

/** Works on every WebGPU device; tuned for hardware. */
export const gpuTarget: Target = { name: 'gpu', kind: 'gpu', ...base };

/** For adapters such as SwiftShader, where workgroup memory is slow and every instruction counts. */
export const softwareTarget: Target = { name: 'software', kind: 'software', ...base };
