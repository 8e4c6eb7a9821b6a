import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../src/compile.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget, subgroupTarget, wasmTarget } from '../../src/ir/target.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { compileModule } from '../../src/passes/pipeline.ts';
import { type RandomNet, randomNet } from '../arbitrary/nets.ts';
import { difference, generator } from '../arbitrary/numbers.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 12);

/** The net as it was written, optimised, fused, and as kernels: all the same, with its gradients, for several batches. */
function agrees({ text, inputs }: RandomNet): void {
  const { module, diagnostics } = check({ name: 'random.dnn', text });
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  const plain = differentiateGraph(module!.nets[0]!.predict).graph;
  for (const target of [softwareTarget, subgroupTarget, gpuTarget, wasmTarget]) {
    const { programs } = compileModule(module!, { target, diagnostics: [], only: name => name === 'T' });
    const { graph, program, scheduled, plan } = programs.get('T')!;
    expect(plan.dispatches.length).toBeGreaterThan(0);
    for (const N of [1, 3]) {
      const next = generator(N);
      const arrays: Record<string, NdArray> = {};
      for (const node of graphInputs(plain)) {
        const own = inputs[node.name];
        const shape = own ? [N, ...own] : node.outputs[0].type.shape.map(d => Number(d.key));
        arrays[node.name] = ndarray(
          'f32',
          shape,
          Array.from({ length: size(shape) }, () => next() * 2 - 1),
        );
      }
      const expected = interpretGraph(plain, arrays).outputs;
      const results = {
        optimised: interpretGraph(graph, arrays).outputs,
        fused: interpretProgram(program, arrays, { dims: { N } }).outputs,
        kernels: interpretProgram(program, arrays, { dims: { N }, kernels: scheduled }).outputs,
      };
      for (const [level, outputs] of Object.entries(results))
        for (const [name, e] of expected) {
          const wrong = difference(outputs.get(name)!, e, 1e-9);
          if (wrong) throw new Error(`${level} for ${target.name}, N = ${N}: ${name}: ${wrong}\n${text}`);
        }
    }
  }
}

test('random nets mean the same at every level', () => {
  fc.assert(fc.property(randomNet(fc), agrees), { seed, numRuns });
}, 120_000);
