import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../src/compile.ts';
import type { DimEnv } from '../../src/ir/dim.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { Module } from '../../src/ir/module.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import { readGraph } from '../../src/ir/parse/graph.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import type { Program } from '../../src/ir/program.ts';
import { gpuTarget, softwareTarget, subgroupTarget, wasmTarget } from '../../src/ir/target.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import { verifyProgram } from '../../src/ir/verify/program.ts';
import { primitive } from '../../src/ops/list.ts';
import { canonicaliseGraph } from '../../src/passes/canonicalise.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { eliminateDead } from '../../src/passes/eliminate.ts';
import { foldGraph } from '../../src/passes/fold.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { orderWorks } from '../../src/passes/order/index.ts';
import { overwrite } from '../../src/passes/overwrite.ts';
import { pack, packGroups, stateOrder } from '../../src/passes/pack.ts';
import { moduleGraphs } from '../../src/passes/pipeline.ts';
import { layoutState } from '../../src/passes/plan-memory.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { randomNet } from '../arbitrary/nets.ts';
import { difference, generator } from '../arbitrary/numbers.ts';
import { randomProgram } from '../arbitrary/programs.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 8);

type Arrays = Readonly<Record<string, NdArray>>;
/** Results and metrics by name, parameters and states by path. */
type Outcome = ReadonlyMap<string, NdArray>;

/** How many packs all runs had; a property that never packs says nothing of packing. */
let packs = 0;

const differentiated = (graph: Graph): Graph => differentiateGraph(graph).graph;

/** Every pass from graph to graph, where it stands in the pipeline and where it does not: each alone. */
const onGraphs: Readonly<Record<string, (graph: Graph) => Graph>> = {
  'print, read': g => readGraph(printGraph(differentiated(g)), primitive),
  canonicalise: g => canonicaliseGraph(differentiated(g)),
  fold: g => foldGraph(differentiated(g)),
  eliminate: g => eliminateDead(differentiated(g)),
  'canonicalise before differentiate': g => differentiated(canonicaliseGraph(g)),
  'fold before differentiate': g => differentiated(foldGraph(g)),
  'eliminate before differentiate': g => differentiated(eliminateDead(g)),
};

function packed(program: Program): Program {
  const { tensors } = program;
  const stored = stateOrder(packGroups(program), tensors);
  return pack(
    program,
    layoutState(stored.map(t => ({ name: t.path!, role: t.role as 'param' | 'state', type: t.type }))),
  );
}

/** Numbers for all inputs. States are positive, since some are squares; the key is one. */
function arraysFor(graph: Graph, dims: DimEnv, next: () => number): Arrays {
  const arrays: Record<string, NdArray> = {};
  for (const { name, role, outputs } of graphInputs(graph)) {
    const shape = outputs[0].type.shape.map(d => D.evaluate(d, dims));
    const value = (): number => {
      if (role === 'key') return Math.floor((next() + 1) * 1e6);
      if (role === 'scalar') return Math.floor((next() + 1) * 4);
      return role === 'state' ? 0.1 + (next() + 1) / 2 : next();
    };
    arrays[name] = ndarray(outputs[0].type.dtype, shape, Array.from({ length: size(shape) }, value));
  }
  return arrays;
}

function ofGraph(graph: Graph, arrays: Arrays): Outcome {
  const { outputs } = interpretGraph(graph, arrays);
  return new Map(graph.outputs.map(o => [o.target ?? o.name, outputs.get(o.name)!]));
}

function ofProgram(
  program: Program,
  arrays: Arrays,
  dims: DimEnv,
  kernels?: ReturnType<typeof schedule>,
): Outcome {
  const { outputs, state } = interpretProgram(program, arrays, { dims, ...(kernels && { kernels }) });
  return new Map([...outputs, ...state]);
}

function* outcomes(graph: Graph, arrays: Arrays, dims: DimEnv): Generator<[pass: string, Outcome]> {
  for (const [name, pass] of Object.entries(onGraphs)) {
    const result = pass(graph);
    expect(verifyGraph(result)).toEqual([]);
    yield [name, ofGraph(result, arrays)];
  }
  for (const target of [softwareTarget, subgroupTarget, gpuTarget, wasmTarget]) {
    const plain = fuse(differentiated(graph), target);
    expect(verifyProgram(plain)).toEqual([]);
    yield [`fuse for ${target.name}`, ofProgram(plain, arrays, dims)];
    yield [`schedule for ${target.name}`, ofProgram(plain, arrays, dims, schedule(plain, target))];
    const joined = packed(plain);
    expect(verifyProgram(joined)).toEqual([]);
    packs += joined.tensors.filter(t => t.role === 'pack').length;
    yield [`pack for ${target.name}`, ofProgram(joined, arrays, dims)];
    yield [`pack, schedule for ${target.name}`, ofProgram(joined, arrays, dims, schedule(joined, target))];
    const ordered = overwrite(orderWorks(joined, dims));
    expect(verifyProgram(ordered)).toEqual([]);
    yield [`order, overwrite for ${target.name}`, ofProgram(ordered, arrays, dims)];
    const kernels = schedule(ordered, target);
    yield [`order, overwrite, schedule for ${target.name}`, ofProgram(ordered, arrays, dims, kernels)];
  }
}

function keepsMeaning(module: Module, text: string): void {
  for (const [program, graph] of moduleGraphs(module))
    for (const N of [1, 3]) {
      const arrays = arraysFor(graph, { N }, generator(N));
      const expected = ofGraph(differentiated(graph), arrays);
      for (const [pass, outcome] of outcomes(graph, arrays, { N }))
        for (const [name, e] of expected) {
          const wrong = difference(outcome.get(name)!, e, 1e-7);
          if (wrong) throw new Error(`${pass} of ${program}, N = ${N}: ${name}: ${wrong}\n${text}`);
        }
    }
}

function moduleOf(text: string): Module {
  const { module, diagnostics } = check({ name: 'random.dnn', text });
  const errors = diagnostics.filter(d => d.severity === 'error').map(d => d.message);
  if (errors.length > 0) throw new Error(`${errors.join('\n')}\n${text}`);
  return module!;
}

test('each pass alone keeps the meaning of random nets', () => {
  fc.assert(
    fc.property(randomNet(fc), ({ text }) => keepsMeaning(moduleOf(text), text)),
    { seed, numRuns: Math.ceil(numRuns / 2) },
  );
}, 240_000);

test('each pass alone keeps the meaning of random training programs', () => {
  fc.assert(
    fc.property(randomProgram(fc), text => keepsMeaning(moduleOf(text), text)),
    { seed, numRuns },
  );
  expect(packs).toBeGreaterThan(0);
}, 240_000);
