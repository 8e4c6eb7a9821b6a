import * as fc from 'fast-check';
import { describe, test } from 'vitest';
import { open } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import type { NdArray, Primitive, Sample } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target } from '../../src/ir/target.ts';
import { isFloat } from '../../src/ir/type.ts';
import { primitives } from '../../src/ops/list.ts';
import { difference } from '../arbitrary/numbers.ts';
import { getDevice } from '../gpu.ts';
import { fromHost, graphOfOp, modelOf, planGraph, toHost } from './single-op.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 4);

const device = await getDevice();
/** WGSL promises little for exp, sin and the like on hardware; the software adapter computes them well. */
const tolerance = device && isSoftware(device.adapterInfo) ? 1e-5 : 1e-3;
const targets: readonly Target[] = [softwareTarget, subgroupTarget, gpuTarget];

const rounded = (x: NdArray): NdArray => (isFloat(x.dtype) ? { ...x, data: x.data.map(Math.fround) } : x);

const isEmpty = (sample: Sample): boolean => sample.inputs.some(x => x.data.length === 0);

/** A few samples, and one with an axis without elements where the op has such. */
function samplesOf(op: Primitive): Sample[] {
  const drawn = fc.sample(op.samples!(fc), { seed, numRuns: numRuns + 50 });
  const few = drawn.slice(0, numRuns);
  const empty = few.some(isEmpty) ? undefined : drawn.find(isEmpty);
  return empty ? [...few, empty] : few;
}

/** A few samples of an op: all their pipelines are made at once, and all runs are under way before one is awaited. */
async function check(op: Primitive, target: Target): Promise<void> {
  const samples = samplesOf(op).map(sample => ({ ...sample, inputs: sample.inputs.map(rounded) }));
  const graphs = samples.map(sample => graphOfOp(op, sample));
  const plans = graphs.map((graph, i) => [`sample${i}`, planGraph(graph, target)] as const);
  const session = await open(modelOf(op.name, Object.fromEntries(plans)), { device: device! });
  try {
    await Promise.all(plans.map(([name]) => session.prepare(name)));
    const runs = samples.map(({ inputs }, i) => {
      const tensors = Object.fromEntries(inputs.map((x, k) => [`x${k}`, toHost(x)]));
      return session.run(`sample${i}`, tensors);
    });
    const results = await Promise.all(runs);
    const wrong = results.flatMap((result, i) => {
      const inputs = Object.fromEntries(samples[i]!.inputs.map((x, k) => [`x${k}`, x]));
      const expected = interpretGraph(graphs[i]!, inputs, { precision: 'f32' }).outputs;
      return [...expected].flatMap(([name, value]) => {
        const problem = difference(fromHost(result[name]!), value, tolerance);
        return problem ? [`sample ${i}, ${name}: ${problem}\n${JSON.stringify(samples[i], show)}`] : [];
      });
    });
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  } catch (error) {
    throw new Error(`DNNC_SEED=${seed} DNNC_RUNS=${numRuns}: ${String(error)}`, { cause: error });
  } finally {
    session.dispose();
  }
}

const show = (_: string, value: unknown): unknown =>
  value instanceof Float64Array ? [...value].join(' ') : value;

describe.skipIf(!device).each(targets)('kernels for $name on the device', target => {
  const lowered = primitives.filter(op => op.lower && op.samples);
  test.each(lowered.map(op => [op.name, op] as const))('%s', (_, op) => check(op, target));
});
