import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../src/ir/target.ts';
import { getDevice } from './gpu.ts';
import { checkCase } from './onnx/check.ts';
import type { Translated } from './onnx/translate.ts';
import { Untranslated } from './torch/attrs.ts';
import { type Backend, deviceBackend, fusedBackend, graphBackend, kernelBackend } from './torch/run.ts';
import { readCases, type WebnnCase } from './webnn/case.ts';
import { translateWebnn } from './webnn/translate.ts';
import { withinUlp } from './webnn/ulp.ts';

/** More cases may lie in a folder of their own, named by DNNC_WEBNN_CASES. */
const folders = [
  fileURLToPath(new URL('cases/webnn', import.meta.url)),
  fileURLToPath(new URL('cases/webnn-variants', import.meta.url)),
  ...(process.env.DNNC_WEBNN_CASES ? [process.env.DNNC_WEBNN_CASES] : []),
];
const cases = new Map(folders.flatMap(readCases).map(c => [c.name, c]));

function attempt(given: WebnnCase): Translated | string {
  if (!given.verified) return 'not verified';
  try {
    return translateWebnn(given);
  } catch (error) {
    if (error instanceof Untranslated) return error.message;
    throw error;
  }
}

const device = await getDevice();
const targets = [softwareTarget, gpuTarget];
const interpreters = [graphBackend, ...targets.flatMap(t => [fusedBackend(t), kernelBackend(t)])];

describe.each([...cases])('WebNN: %s', (name, given) => {
  const said = attempt(given);
  if (typeof said === 'string') {
    test.skip(`not translated: ${said}`, () => {});
    return;
  }
  const expected = [...given.outputs.values()];
  const close = withinUlp(expected[0]!.element, given.ulp);
  const check = (backend: Backend) => checkCase(name, said, expected, backend, close);
  test.each(interpreters.map(b => [b.name, b] as const))('%s', (_, backend) => check(backend));
  test.skipIf(!device).each(targets.map(t => [`webgpu, kernels for ${t.name}`, t] as const))(
    '%s',
    (_, target) => check(deviceBackend(device!, target)),
  );
});
