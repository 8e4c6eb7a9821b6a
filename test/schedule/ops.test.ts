import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { NdArray, Primitive, Sample } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import { primitives } from '../../src/ops/list.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { difference } from '../arbitrary/numbers.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 15);

const targets: readonly Target[] = [softwareTarget, subgroupTarget, gpuTarget, wasmTarget];

/** One op through fusing and scheduling, its kernels interpreted in f64, against its reference. */
function check(op: Primitive, sample: Sample, target: Target): void {
  const b = new GraphBuilder(op.name);
  const values = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
  const outputs = b.emitAll(op, values, sample.attrs);
  const { node } = outputs[0]!;
  if (node.kind !== 'op') throw new Error('not an op');
  outputs.forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  const program = fuse(b.build(), target);
  const kernels = schedule(program, target);
  for (const k of kernels.flatMap(s => s.kernels)) expect(verifyKernel(k)).toEqual([]);
  const inputs = Object.fromEntries(sample.inputs.map((x, i) => [`x${i}`, x]));
  const result = interpretProgram(program, inputs, { dims: {}, kernels });
  const expected = op.reference(
    sample.inputs,
    node.attrs,
    node.outputs.map(v => v.type),
    'f64',
  );
  expected.forEach((e: NdArray, i) => {
    const wrong = difference(result.outputs.get(`y${i}`)!, e, 1e-12);
    if (wrong) throw new Error(`y${i}: ${wrong}`);
  });
}

describe.each(targets)('kernels for $name', target => {
  const lowered = primitives.filter(op => op.lower && op.samples);
  test.each(lowered.map(op => [op.name, op] as const))('%s', (_, op) => {
    fc.assert(
      fc.property(op.samples!(fc), sample => check(op, sample, target)),
      { seed, numRuns },
    );
  });
});
