import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Graph, InputNode } from '../ir/graph.ts';
import { graphInputs } from '../ir/graph.ts';
import { inferDims, interpretGraph } from '../ir/interpret/graph.ts';
import { ndarray } from '../ir/ndarray.ts';
import type { NdArray } from '../ir/primitive.ts';
import { runGraphPasses } from '../passes/pass.ts';
import { graphPasses } from '../passes/pipeline.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { impossibleSize } from '../support/errors/training.ts';
import type { TensorSpec } from './tensors.ts';

/** The graph as it is fused: differentiated and simplified, which the interpreter can run. */
export const expandGraph = (graph: Graph): Graph => runGraphPasses(graphPasses, graph, { diagnostics: [] });

/** Inputs of some roles in the order of the graph. */
export function inputsOf(graph: Graph, ...roles: readonly InputNode['role'][]): TensorSpec[] {
  return graphInputs(graph)
    .filter(n => roles.includes(n.role))
    .map(n => ({ name: n.name, type: n.outputs[0].type }));
}

/** A parameter or state with its role. */
export interface StateSpec extends TensorSpec {
  readonly role: 'param' | 'state';
}

/** Parameters and states that graphs read or set, each once. */
export function stateOf(graphs: readonly Graph[]): StateSpec[] {
  const found = new Map<string, StateSpec>();
  for (const graph of graphs)
    for (const { name, role, outputs } of graphInputs(graph))
      if ((role === 'param' || role === 'state') && !found.has(name))
        found.set(name, { name, role, type: outputs[0].type });
  // What only `init` knows is never read as a parameter.
  for (const graph of graphs)
    for (const { role, target, value } of graph.outputs)
      if (role === 'update' && target !== undefined && !found.has(target))
        found.set(target, { name: target, role: 'state', type: value.type });
  return [...found.values()];
}

/** What the host sets for a run: the words of the random key, and the scalars that schedules read. */
export interface HostScalars {
  readonly seed: number;
  readonly step: number;
  readonly epoch: number;
}

/** Runs a graph in f64. `tensors`: data or inputs, parameters and states; more than it reads may be given. */
export function interpret(
  graph: Graph,
  tensors: ReadonlyMap<string, NdArray>,
  { seed, step, epoch }: HostScalars,
  dims: DimEnv = {},
): Map<string, NdArray> {
  const scalars: Readonly<Record<string, number>> = { iter: step, epoch };
  const inputs: Record<string, NdArray> = {};
  for (const { name, role, outputs } of graphInputs(graph)) {
    const { dtype } = outputs[0].type;
    if (role === 'key') inputs[name] = ndarray('u32', [2], [seed, step]);
    else if (role === 'scalar' && scalars[name] !== undefined)
      inputs[name] = ndarray(dtype, [], [scalars[name]]);
    else if (tensors.has(name)) inputs[name] = tensors.get(name)!;
  }
  const sizes = inferDims(graph, inputs, dims);
  checkExtents(graph, sizes);
  return interpretGraph(graph, inputs, { dims: sizes }).outputs;
}

/** Throws `DiagnosticError` E0420 where the module would refuse these sizes too. */
function checkExtents(graph: Graph, sizes: DimEnv): void {
  const results = new Set(graph.outputs.map(o => o.value));
  for (const value of graph.nodes.flatMap(n => n.outputs))
    for (const d of value.type.shape) {
      const extent = D.evaluate(d, sizes);
      if (extent < 0 || (extent === 0 && D.constantValue(d) === undefined && results.has(value)))
        throw new DiagnosticError(impossibleSize(`${D.print(d)} = ${extent}: an extent must be at least 1`));
    }
}

/** The parameters and states that `init` makes, of training programs possibly from `data`. */
export function initialState(
  init: Graph,
  seed: number,
  data: ReadonlyMap<string, NdArray> = new Map(),
): Map<string, NdArray> {
  const outputs = interpret(init, data, { seed, step: 0, epoch: 0 });
  return new Map(updates(init, outputs));
}

/** New values of parameters and states among a graph's outputs. */
export function updates(graph: Graph, outputs: ReadonlyMap<string, NdArray>): [string, NdArray][] {
  return graph.outputs.flatMap(({ name, role, target }): [string, NdArray][] =>
    role === 'update' && target !== undefined ? [[target, outputs.get(name)!]] : [],
  );
}
