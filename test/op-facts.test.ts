import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { open } from '../runtime/index.ts';
import type { Runner } from '../runtime/loaded.ts';
import { isSoftware } from '../runtime/node/index.ts';
import { open as openInWasm } from '../runtime/wasm/index.ts';
import { interpretCompute } from '../src/ir/interpret/compute.ts';
import { interpretProgram } from '../src/ir/interpret/program.ts';
import type { Plan } from '../src/ir/plan.ts';
import type { NdArray, Primitive, Sample } from '../src/ir/primitive.ts';
import { applyCast } from '../src/ir/scalar.ts';
import { gpuTarget, softwareTarget, type Target, wasmTarget } from '../src/ir/target.ts';
import { isFloat } from '../src/ir/type.ts';
import { verifyKernel } from '../src/ir/verify/kernel.ts';
import { primitives } from '../src/ops/list.ts';
import { fuse } from '../src/passes/fuse/index.ts';
import { schedule } from '../src/passes/schedule/index.ts';
import { difference } from './arbitrary/numbers.ts';
import { fromHost, graphOfOp, modelOf, planGraph, toHost, wasmModelOf } from './gpu/single-op.ts';
import { getDevice } from './gpu.ts';
import { factsOf, sampled } from './op-facts.ts';
import { graphOf } from './op-graphs.ts';
import { printOps } from './op-page.ts';

const device = await getDevice();
const tolerance = device && isSoftware(device.adapterInfo) ? 1e-5 : 1e-3;
const lowered = primitives.filter(op => op.lower).map(op => [op.name, op, factsOf(op)] as const);

const holds = (
  actual: readonly (NdArray | undefined)[],
  expected: readonly NdArray[],
  within: number,
): void =>
  expected.forEach((e, i) => {
    const wrong = difference(actual[i]!, e, within);
    if (wrong) throw new Error(`${e.dtype}: output ${i}: ${wrong}`);
  });

const inputsOf = (sample: Sample): Record<string, NdArray> =>
  Object.fromEntries(sample.inputs.map((x, i) => [`x${i}`, x]));

test('docs/ops.md is current', async () => {
  await expect(printOps()).toMatchFileSnapshot(fileURLToPath(new URL('../docs/ops.md', import.meta.url)));
});

describe('every dtype that an op is said to take', () => {
  test.each(lowered)('%s', (_, op, { samples }) => {
    for (const sample of samples) {
      const { node } = graphOf(op, sample);
      const outs = node.outputs.map(v => v.type);
      const expected = op.reference(sample.inputs, node.attrs, outs, 'f64');
      const types = node.inputs.map(v => v.type);
      holds(interpretCompute(op.lower!(types, node.attrs, outs), sample.inputs, {}, 'f64'), expected, 1e-12);
      for (const target of [softwareTarget, gpuTarget, wasmTarget]) {
        const program = fuse(graphOfOp(op, sample), target);
        const kernels = schedule(program, target);
        for (const k of kernels.flatMap(s => s.kernels)) expect(verifyKernel(k)).toEqual([]);
        const { outputs } = interpretProgram(program, inputsOf(sample), { dims: {}, kernels });
        holds(
          expected.map((_e, i) => outputs.get(`y${i}`)),
          expected,
          1e-12,
        );
      }
    }
  });
});

/** All samples as programs of one session. */
async function checkRun(
  op: Primitive,
  samples: readonly Sample[],
  target: Target,
  openAll: (plans: Readonly<Record<string, Plan>>) => Promise<Runner>,
  within: number,
): Promise<void> {
  const plans = samples.map((s, i) => [`sample${i}`, planGraph(graphOfOp(op, s), target)] as const);
  const session = await openAll(Object.fromEntries(plans));
  try {
    for (const [i, sample] of samples.entries()) {
      const fed = Object.fromEntries(Object.entries(inputsOf(sample)).map(([n, x]) => [n, toHost(x)]));
      const result = await session.run(`sample${i}`, fed);
      const { node } = graphOf(op, sample);
      const rounded = sample.inputs.map(x =>
        isFloat(x.dtype) ? { ...x, data: x.data.map(v => applyCast(v, x.dtype, 'f32')) } : x,
      );
      const expected = op.reference(
        rounded,
        node.attrs,
        node.outputs.map(v => v.type),
        'f32',
      );
      const half = [...sample.inputs, ...expected].some(x => x.dtype === 'f16');
      holds(
        expected.map((_e, k) => fromHost(result[`y${k}`]!)),
        expected,
        half ? 2e-3 : within,
      );
    }
  } finally {
    session.dispose();
  }
}

describe.skipIf(!device)('the same on the device, but for f16', () => {
  test.each(lowered)('%s', async (_, op, { samples }) => {
    const plain = samples.filter(
      s =>
        !graphOf(op, s)
          .node.inputs.concat(graphOf(op, s).outputs)
          .some(v => v.type.dtype === 'f16'),
    );
    await checkRun(op, plain, softwareTarget, p => open(modelOf(op.name, p), { device: device! }), tolerance);
  });
});

describe('the same in WebAssembly', () => {
  test.each(lowered)('%s', async (_, op, { samples }) => {
    const run = async (plans: Readonly<Record<string, Plan>>): Promise<Runner> =>
      openInWasm(await wasmModelOf(op.name, plans), { threads: 1 });
    await checkRun(op, samples, wasmTarget, run, 1e-5);
  });
});

/** What the page says of options is what samples have: each is away from its default in some of them. */
describe('every option is sampled away from its default', () => {
  test.each(lowered.filter(([, op]) => Object.keys(op.attrs).length > 0))('%s', (_, op) => {
    for (const [name, spec] of Object.entries(op.attrs)) {
      const values = new Set(sampled(op).map(s => JSON.stringify(s.attrs[name] ?? spec.default)));
      const others = [...values].filter(v => v !== JSON.stringify(spec.default));
      expect([name, others.length > 0]).toEqual([name, true]);
    }
  });
});
