import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Graph, InputNode, LoopNode, Node, OpNode, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { loopParts } from '../../ir/loop.ts';
import { elementCount, printShape } from '../../ir/type.ts';
import { flopsOf } from '../../passes/flops.ts';
import { batchDim } from '../training/data.ts';
import { defaultSize } from './programs.ts';
import { receptiveFields } from './receptive-field.ts';
import { formatCount, formatTable } from './table.ts';

/** The nodes of one path and what they come to. */
export interface Layer {
  readonly path: string;
  /** Of the last node. */
  readonly output: string;
  readonly parameters: number;
  readonly flops: number;
  /** Positions of the input that an element of the output sees, along each axis that is followed. */
  readonly field: readonly number[] | undefined;
}

export interface LayerTable {
  readonly layers: readonly Layer[];
  /** Each parameter once. */
  readonly parameters: number;
  readonly flops: number;
  /** The sizes for which FLOPs are counted. */
  readonly dims: DimEnv;
}

/** Counts a net's layers: for one example where its batch is free, other free dims at the sizes given or the default. */
export function layersOf(graph: Graph, given: DimEnv): LayerTable {
  const inputs = graphInputs(graph).filter(n => n.role === 'input');
  const batch = batchDim(inputs.map(n => ({ name: n.name, type: n.outputs[0].type })));
  const sizes = Object.fromEntries(
    [...freeDims(graph)].map(name => [name, name === batch ? 1 : (given[name] ?? defaultSize)]),
  );
  const groups = new Map<string, Counted[]>();
  for (const counted of countedNodes(graph, sizes)) {
    const path = counted.node.origin.path ?? graph.name;
    const group = groups.get(path);
    if (group) group.push(counted);
    else groups.set(path, [counted]);
  }
  const fields = fieldsOf(graph, inputs, sizes);
  const counted = new Set<InputNode>();
  const layers = [...groups].map(([path, nodes]): Layer => {
    const last = nodes.at(-1)!;
    const result = resultOf(last.node);
    return {
      path,
      output: printShape(result.type.shape),
      parameters: nodes.flatMap(n => n.inputs).reduce((n, v) => n + newParameters(v, counted), 0),
      flops: nodes.reduce((n, { node, times }) => n + times * nodeFlops(node, sizes), 0),
      field: last.inside ? undefined : fields.get(result.id),
    };
  });
  const sum = (of: (l: Layer) => number): number => layers.reduce((n, l) => n + of(l), 0);
  return { layers, parameters: sum(l => l.parameters), flops: sum(l => l.flops), dims: sizes };
}

/** A node, how often a run computes it, and what it reads, in terms of the whole graph where that is possible. */
interface Counted {
  readonly node: OpNode | LoopNode;
  readonly times: number;
  readonly inputs: readonly Value[];
  /** Whether it is part of a loop's body, whose values the graph around it does not know. */
  readonly inside: boolean;
}

/** All nodes that compute something, those of a loop's body before the loop. */
function countedNodes(
  { nodes }: { readonly nodes: readonly Node[] },
  dims: DimEnv,
  times = 1,
  outside?: ReadonlyMap<Value, Value>,
): Counted[] {
  return nodes.flatMap((node): Counted[] => {
    if (node.kind === 'input') return [];
    const inputs = node.inputs.map(v => outside?.get(v) ?? v);
    const own = { node, times, inputs, inside: outside !== undefined };
    if (node.kind === 'op') return [own];
    const entering = loopParts({ ...node, inputs }).consts.map(c => [c.inner.outputs[0], c.value] as const);
    const turns = times * D.evaluate(node.steps, dims);
    return [...countedNodes(node.body, dims, turns, new Map(entering)), { ...own, inputs: [] }];
  });
}

/** Of a loop: what it stacks first, or else its first state. */
function resultOf(node: OpNode | LoopNode): Value {
  if (node.kind === 'op') return node.outputs[0]!;
  return loopParts(node).yields[0]?.stack ?? node.outputs[0]!;
}

/** Elements of a parameter at its first use. */
function newParameters({ node }: Value, counted: Set<InputNode>): number {
  if (node.kind !== 'input' || node.role !== 'param' || counted.has(node)) return 0;
  counted.add(node);
  return D.constantValue(elementCount(node.outputs[0].type)) ?? 0;
}

function nodeFlops(node: OpNode | LoopNode, dims: DimEnv): number {
  if (node.kind === 'loop') return 0;
  const compute = node.op.lower?.(
    node.inputs.map(v => v.type),
    node.attrs,
    node.outputs.map(v => v.type),
  );
  return compute ? flopsOf(compute, dims) : 0;
}

function freeDims(graph: Graph): Set<string> {
  const names = new Set<string>();
  for (const { outputs } of graph.nodes)
    for (const { type } of outputs) for (const d of type.shape) D.symbols(d, names);
  return names;
}

/** Followed are the spatial axes of the first input (after batch and channels), or what it has beyond the batch. */
function fieldsOf(graph: Graph, inputs: readonly InputNode[], dims: DimEnv): Map<number, number[]> {
  const [input] = inputs;
  const rank = input?.outputs[0].type.shape.length ?? 0;
  if (!input || rank < 2) return new Map();
  const first = rank > 2 ? 2 : 1;
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  return receptiveFields(graph, input.name, axes, dims);
}

export function formatLayers(title: string, { layers, parameters, flops, dims }: LayerTable): string {
  const at = Object.entries(dims).map(([name, n]) => `${name} = ${n}`);
  const rows = layers.map(l => [
    l.path,
    l.output,
    formatCount(l.parameters),
    formatCount(l.flops),
    l.field?.join('×') ?? '',
  ]);
  const table = formatTable(
    [
      { title: 'layer', align: 'left' },
      { title: 'output', align: 'left' },
      { title: 'parameters', align: 'right' },
      { title: 'FLOPs', align: 'right' },
      { title: 'receptive field', align: 'right' },
    ],
    [...rows, ['total', '', formatCount(parameters), formatCount(flops), '']],
  );
  return `${title}${at.length === 0 ? '' : ` (FLOPs at ${at.join(', ')})`}\n${table}`;
}
