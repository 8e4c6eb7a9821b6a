import { expect, test } from 'vitest';
import { open } from '../../runtime/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';

const device = await getDevice();

const text = `
net M(x: f32[N, 12, 13, 10]) -> f32[N, 16, 13, 10] {
  return x -> first: conv(16, 3, pad = 1) -> relu -> second: conv(16, 3, pad = 1) -> relu
}

train fit {
  data x: f32[N, 12, 13, 10]
  minimize mean(M(x) ^ 2) over M by sgd(lr = 0.5)
}
`;
const shape = [3, 12, 13, 10];
const x = { data: Float32Array.from({ length: 3 * 12 * 130 }, (_, i) => Math.sin(1.37 * i)), shape };

/** The losses of three steps, and how many kernels a step has. */
async function trained(target: typeof gpuTarget, exact: boolean) {
  const { compiled, entries } = compile({ name: 'm.dnn', text }, { target, exact });
  const entry = entries!.find(e => e.name === 'fit')!;
  const model = buildModel(entry, compiled!.layout);
  const session = await open(model, { device: device!, seed: 3 });
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    const [loss] = Object.values(await session.run('step', { x }));
    losses.push((loss as { data: Float32Array }).data[0]!);
  }
  session.dispose();
  return { losses, works: compiled!.programs.get('fit.step')!.program.works };
}

test.skipIf(!device).each([gpuTarget, softwareTarget])(
  'a training through Winograd transforms goes as without, with kernels for $name',
  async target => {
    const [plain, transformed] = [
      await trained(target, true),
      await trained({ ...target, eager: true }, false),
    ];
    const products = transformed.works.filter(w => w.role === 'Winograd products');
    // Both forward, and the gradient of what lies between them.
    expect(products).toHaveLength(3);
    plain.losses.forEach((loss, step) => {
      expect(Math.abs(transformed.losses[step]! - loss)).toBeLessThan(1e-5 * loss);
    });
    expect(plain.losses[2]).toBeLessThan(0.9 * plain.losses[0]!);
  },
);
