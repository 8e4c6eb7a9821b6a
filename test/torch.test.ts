import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../src/ir/target.ts';
import { getDevice } from './gpu.ts';
import { Untranslated } from './torch/attrs.ts';
import type { LoadedCase, TrainCase, VjpCase } from './torch/case.ts';
import { readCase } from './torch/case.ts';
import { checkTraining, checkVjp, isSmall } from './torch/check.ts';
import { deviceBackend, fusedBackend, graphBackend, kernelBackend, wasmBackend } from './torch/run.ts';
import { trainProgram } from './torch/train.ts';
import { vjpSource } from './torch/translate.ts';

/** More cases may lie in a folder of their own, named by DNNC_TORCH_CASES. */
const folders = [
  fileURLToPath(new URL('cases/torch', import.meta.url)),
  ...(process.env.DNNC_TORCH_CASES ? [process.env.DNNC_TORCH_CASES] : []),
];
const files = folders.flatMap(folder =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.st'))
    .map(name => `${folder}/${name}`)
    .sort(),
);
const cases = new Map(files.map(readCase).map(loaded => [loaded.case.name, loaded]));

const isTraining = (loaded: LoadedCase): loaded is LoadedCase<TrainCase> => loaded.case.kind === 'train';

/** Why a case cannot be said in `.dnn`, where it cannot. */
function untranslated(loaded: LoadedCase): string | undefined {
  try {
    if (isTraining(loaded)) trainProgram(loaded);
    else vjpSource(loaded as LoadedCase<VjpCase>, 'fixed');
    return undefined;
  } catch (error) {
    if (error instanceof Untranslated) return error.message;
    throw error;
  }
}

const device = await getDevice();

describe.each([...cases].map(([name, loaded], i) => [name, loaded, i] as const))(
  'PyTorch: %s',
  (_, loaded, at) => {
    const why = untranslated(loaded);
    if (why !== undefined) {
      test.skip(`not translated: ${why}`, () => {});
      return;
    }
    const targets = [softwareTarget, gpuTarget];
    const interpreters = isSmall(loaded) ? targets.flatMap(t => [fusedBackend(t), kernelBackend(t)]) : [];
    const check = isTraining(loaded)
      ? (backend: typeof graphBackend) => checkTraining(loaded, backend)
      : (backend: typeof graphBackend) => checkVjp(loaded as LoadedCase<VjpCase>, backend);
    test.each([graphBackend, ...interpreters].map(b => [b.name, b] as const))('%s', (_, b) => check(b));
    // Some of those here, and all of others': making a module takes longer than the rest of a case.
    test.runIf(at % 3 === 0 || process.env.DNNC_TORCH_CASES)('wasm', () => check(wasmBackend(1 + (at % 2))));
    test.skipIf(!device).each(targets.map(t => [`webgpu, kernels for ${t.name}`, t] as const))(
      '%s',
      (_, target) => check(deviceBackend(device!, target)),
    );
  },
);
