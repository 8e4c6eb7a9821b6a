import { gpuTarget, type MatrixFactors, type Target } from '../src/ir/target.ts';

const matrices = {
  subgroupSize: 32,
  shapes: [
    { component: 'f16', result: 'f16', m: 16, n: 16, k: 16 },
    { component: 'f16', result: 'f32', m: 16, n: 8, k: 16 },
    { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 },
  ],
} as const;

/** A GPU that has what those of NVIDIA report. */
export const matrixTarget: Target = {
  ...gpuTarget,
  name: 'gpu with matrices',
  maxComputeWorkgroupStorageSize: 49152,
  features: new Set(['shader-f16', 'subgroups']),
  matrices,
};

/** One that has no more memory than every GPU. */
export const smallMatrixTarget: Target = { ...matrixTarget, maxComputeWorkgroupStorageSize: 16384 };

/** The same where factors in f32 may be changed so. */
export const withFactors = (target: Target, factors: MatrixFactors): Target =>
  target.matrices ? { ...target, matrices: { ...target.matrices, factors } } : target;
