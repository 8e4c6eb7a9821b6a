import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../src/ir/target.ts';
import { getDevice } from './gpu.ts';
import { caseNames, type NodeCase, readCase } from './onnx/case.ts';
import { checkCase } from './onnx/check.ts';
import { type Translated, translate } from './onnx/translate.ts';
import { Untranslated } from './torch/attrs.ts';
import { deviceBackend, fusedBackend, graphBackend, kernelBackend } from './torch/run.ts';

/** More cases may lie in a folder of their own, named by DNNC_ONNX_CASES. */
const folders = [
  fileURLToPath(new URL('cases/onnx', import.meta.url)),
  ...(process.env.DNNC_ONNX_CASES ? [process.env.DNNC_ONNX_CASES] : []),
];
const cases = new Map(
  folders.flatMap(folder => caseNames(folder).map(name => [name, readCase(folder, name)] as const)),
);

/** A case as text, or why it cannot be said in `.dnn`. */
function attempt(given: NodeCase): Translated | string {
  try {
    return translate(given);
  } catch (error) {
    if (error instanceof Untranslated) return error.message;
    throw error;
  }
}

const device = await getDevice();
const targets = [softwareTarget, gpuTarget];
const interpreters = [graphBackend, ...targets.flatMap(t => [fusedBackend(t), kernelBackend(t)])];

describe.each([...cases])('ONNX: %s', (name, given) => {
  let translated: Translated | string;
  try {
    translated = attempt(given);
  } catch (error) {
    test('is translated', () => {
      throw error;
    });
    return;
  }
  if (typeof translated === 'string') {
    test.skip(`not translated: ${translated}`, () => {});
    return;
  }
  const said = translated;
  test.each(interpreters.map(b => [b.name, b] as const))('%s', (_, backend) =>
    checkCase(name, said, given.outputs(), backend),
  );
  test.skipIf(!device).each(targets.map(t => [`webgpu, kernels for ${t.name}`, t] as const))(
    '%s',
    (_, target) => checkCase(name, said, given.outputs(), deviceBackend(device!, target)),
  );
});
