import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { gpuTarget } from '../src/ir/target.ts';
import { getDevice } from './gpu.ts';
import { checkCase } from './onnx/check.ts';
import { readVariants, translateVariant } from './onnx/variant.ts';
import { deviceBackend, graphBackend, kernelBackend } from './torch/run.ts';

const path = fileURLToPath(new URL('cases/onnx-variants/variants.json', import.meta.url));
const device = await getDevice();

describe.each(readVariants(path).map(v => [v.name, v] as const))('%s', (name, variant) => {
  const expected = variant.outputs.flatMap(t => (t ? [t] : []));
  const backends = [graphBackend, kernelBackend(gpuTarget)];
  test.each(backends.map(b => [b.name, b] as const))('%s', (_, backend) =>
    checkCase(name, translateVariant(variant), expected, backend),
  );
  test.skipIf(!device)('webgpu', () =>
    checkCase(name, translateVariant(variant), expected, deviceBackend(device!, gpuTarget)),
  );
});
