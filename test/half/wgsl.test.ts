import { afterAll, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import type { Kernel } from '../../runtime/plan.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { lenet, lstm, mlp, resnet } from './nets.ts';

vi.setConfig({ testTimeout: 120_000 });

/**
 * Dawn's null backend runs nothing, but checks shaders and has every feature: what no adapter here can run is at
 * least read by the compiler that browsers have.
 */
const gpu = create(['backend=null']);
const adapter = await gpu.requestAdapter();
const device = await adapter?.requestDevice({ requiredFeatures: ['shader-f16'] });
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
      return info.messages.filter(m => m.type === 'error').map(m => `${name}: ${m.message}`);
    }),
  );
  await device!.popErrorScope();
  return found.flat();
}

test('the null backend does find faults', async () => {
  const code = 'enable f16; fn f() { let x: f16 = 1.0f; }';
  expect(await faults([{ name: 'bad', from: '', uniform: false, code }])).toHaveLength(1);
});

const explicit = `net Halves(x: f16[N, 5], w: f16[5, 3], i: i32[N], u: u32[N]) -> (a: f16[N, 3], b: f16[N, 5], c: f16[N]) {
  y = sigmoid(x) * tanh(x) + erf(x) ^ 2 - sqrt(abs(x)) ^ (1 + abs(x))
  return x @ w, where(x > 0, y % 3, cast(cast(x, i32), f16)), cast(i, f16) + cast(u, f16) + sum(x, axis = 1)
}
`;

test.each([
  ['MLP', mlp],
  ['LeNet', lenet],
  ['ResNet', resnet],
  ['LSTM', lstm],
  ['tensors declared f16', explicit],
])('kernels of %s in half precision are sound WGSL', async (name, text) => {
  const models = [gpuTarget, softwareTarget].flatMap(target => {
    const { compiled, entries } = compile({ name: `${name}.dnn`, text }, { target, precision: 'f16' });
    return entries!.map(entry => buildModel(entry, compiled!.layout));
  });
  expect(models.map(m => m.features)).toEqual(models.map(() => ['shader-f16']));
  const kernels = models.flatMap(m => Object.values(m.programs).flatMap(p => p.kernels));
  expect(kernels.filter(k => k.code.includes('f16')).length).toBeGreaterThan(0);
  expect(await faults(kernels)).toEqual([]);
});
