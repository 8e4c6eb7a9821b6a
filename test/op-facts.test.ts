import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { open } from '../runtime/index.ts';
import { isSoftware } from '../runtime/node/index.ts';
import { interpretCompute } from '../src/ir/interpret/compute.ts';
import { interpretProgram } from '../src/ir/interpret/program.ts';
import type { NdArray, Sample } from '../src/ir/primitive.ts';
import { gpuTarget, softwareTarget } from '../src/ir/target.ts';
import { verifyKernel } from '../src/ir/verify/kernel.ts';
import { primitives } from '../src/ops/list.ts';
import { fuse } from '../src/passes/fuse/index.ts';
import { schedule } from '../src/passes/schedule/index.ts';
import { difference } from './arbitrary/numbers.ts';
import { fromHost, graphOfOp, modelOf, planGraph, toHost } from './gpu/single-op.ts';
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
      for (const target of [softwareTarget, gpuTarget]) {
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

describe.skipIf(!device)('the same on the device, but for f16', () => {
  test.each(lowered)('%s', async (_, op, { samples }) => {
    const plain = samples.filter(
      s =>
        !graphOf(op, s)
          .node.inputs.concat(graphOf(op, s).outputs)
          .some(v => v.type.dtype === 'f16'),
    );
    const graphs = plain.map(s => graphOfOp(op, s));
    const plans = graphs.map((g, i) => [`sample${i}`, planGraph(g, softwareTarget)] as const);
    const session = await open(modelOf(op.name, Object.fromEntries(plans)), { device: device! });
    try {
      for (const [i, sample] of plain.entries()) {
        const fed = Object.fromEntries(Object.entries(inputsOf(sample)).map(([n, x]) => [n, toHost(x)]));
        const result = await session.run(`sample${i}`, fed);
        const { node } = graphOf(op, sample);
        const rounded = sample.inputs.map(x =>
          x.dtype === 'f32' ? { ...x, data: x.data.map(Math.fround) } : x,
        );
        const expected = op.reference(
          rounded,
          node.attrs,
          node.outputs.map(v => v.type),
          'f32',
        );
        holds(
          expected.map((_e, k) => fromHost(result[`y${k}`]!)),
          expected,
          tolerance,
        );
      }
    } finally {
      session.dispose();
    }
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
