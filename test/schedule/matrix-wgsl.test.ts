import { afterAll, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import type { Kernel, Model } from '../../runtime/plan.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { type CompileOptions, compile } from '../../src/compile.ts';
import { lenet } from '../half/nets.ts';
import { matrixTarget, smallMatrixTarget } from '../matrices.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Dawn's null backend reads shaders with features that no adapter here has; matrices are behind a toggle. */
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis,use_vulkan_memory_model']);
const needed = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as GPUFeatureName[];
const adapter = await gpu.requestAdapter();
const able = needed.every(f => adapter?.features.has(f));
if (!able) console.warn('this Dawn knows no subgroup matrices: their WGSL is not checked');
const device = able ? await adapter?.requestDevice({ requiredFeatures: needed }) : undefined;
afterAll(() => {
  device?.destroy();
  // Collecting it would end the process.
  Object.assign(globalThis, { nullBackend: gpu });
});

async function faults(kernels: readonly Kernel[]): Promise<string[]> {
  device!.pushErrorScope('validation');
  const found = await Promise.all(
    kernels.map(async ({ name, code }) => {
      const info = await device!.createShaderModule({ code }).getCompilationInfo();
      // Warnings would tell of syntax that is going away.
      return info.messages.map(m => `${name}: ${m.message}`);
    }),
  );
  await device!.popErrorScope();
  return found.flat();
}

const nets = `net Product(a: f32[N, 100], b: f32[100, 75]) -> f32[N, 75] {
  return tanh(a @ b)
}

net Batch(a: f32[4, 72, 300], b: f32[4, 300, 64]) -> f32[4, 72, 64] {
  return a @ b
}

net Long(a: f32[64, N], b: f32[N, 64]) -> f32[64, 64] {
  return relu(a @ b)
}

net Conv(x: f32[N, 16, 28, 28]) -> f32[N, 32, 28, 28] {
  return x -> conv(32, 3, pad = 1) -> relu
}
`;

function models(text: string, options: CompileOptions): Model[] {
  const { compiled, entries, diagnostics } = compile({ name: 'nets.dnn', text }, options);
  if (!entries) throw new Error(diagnostics.map(d => d.message).join('\n'));
  return entries.map(entry => buildModel(entry, compiled!.layout));
}

const kernelsOf = (list: readonly Model[]): Kernel[] =>
  list.flatMap(m => Object.values(m.programs).flatMap(p => p.kernels));

const how = [
  ['in half precision', nets + lenet, { target: matrixTarget, precision: 'f16' }],
  ['in half precision, little memory', nets, { target: smallMatrixTarget, precision: 'f16' }],
  ['in two halves', nets, { target: matrixTarget, splitProducts: true }],
] as const satisfies readonly (readonly [string, string, CompileOptions])[];

test.skipIf(!able).each(how)('products on matrices %s are sound WGSL', async (_, text, options) => {
  const made = models(text, options);
  const kernels = kernelsOf(made).filter(k => k.code.includes('subgroupMatrixLoad'));
  expect(kernels.length).toBeGreaterThan(3);
  expect(await faults(kernels)).toEqual([]);
  for (const m of made) {
    const uses = kernelsOf([m]).some(k => k.code.includes('subgroupMatrixLoad'));
    expect(m.features.includes('chromium-experimental-subgroup-matrix')).toBe(uses);
    expect(m.subgroupSize).toBe(uses ? 32 : undefined);
  }
});

test.skipIf(!able)('what the null backend refuses', async () => {
  const code = `enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(32) fn f(@builtin(local_invocation_index) i: u32) {
  let m = subgroup_matrix_result<f32, 16, 16>();
  subgroupMatrixStore<row_major>(&x, i, m, 16);
}`;
  expect((await faults([{ name: 'bad', from: '', uniform: false, code }])).join()).toContain('uniform');
});
