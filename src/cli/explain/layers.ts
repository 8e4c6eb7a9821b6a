import type { Compute } from '../../ir/compute.ts';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Graph, InputNode, LoopNode, Node, OpNode, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { loopParts } from '../../ir/loop.ts';
import { elementCount, printShape } from '../../ir/type.ts';
import { flopsOf, multiplyAddsOf } from '../../passes/flops.ts';
import { batchDim } from '../training/data.ts';
import { defaultSize } from './programs.ts';
import { receptiveFields } from './receptive-field.ts';
import { type Column, formatCount, formatTable } from './table.ts';

/** The nodes of one path and what they come to. */
export interface Layer extends Counts {
  readonly path: string;
  /** Of the last node. */
  readonly output: string;
  /** Positions of the input that an element of the output sees, along each axis that is followed. */
  readonly field: readonly number[] | undefined;
}

export interface Counts {
  /**
   * Numbers that one example has in memory behind the layer. Elementwise layers have none of their own: they are
   * computed where their input is.
   */
  readonly values: number;
  /** Of the parameters those with at least two axes: kernels and matrices, but no biases or scales. */
  readonly weights: number;
  readonly parameters: number;
  /** Products that are summed. */
  readonly multiplyAdds: number;
  readonly flops: number;
}

export interface LayerTable extends Counts {
  readonly inputs: readonly { readonly path: string; readonly output: string; readonly values: number }[];
  readonly layers: readonly Layer[];
  /** The sizes for which FLOPs and values are counted. */
  readonly dims: DimEnv;
}

export interface LayerOptions {
  /** Layers whose paths agree in so many names behind the net's become one row. */
  readonly depth?: number;
}

/** Counts a net's layers: for one example where its batch is free, other free dims at the sizes given or the default. */
export function layersOf(graph: Graph, given: DimEnv, { depth = Infinity }: LayerOptions = {}): LayerTable {
  const inputs = graphInputs(graph).filter(n => n.role === 'input');
  const batch = batchDim(inputs.map(n => ({ name: n.name, type: n.outputs[0].type })));
  const sizes = Object.fromEntries(
    [...freeDims(graph)].map(name => [name, name === batch ? 1 : (given[name] ?? defaultSize)]),
  );
  const fields = fieldsOf(graph, inputs, sizes);
  const seen = new Set<InputNode>();
  const all = countedNodes(graph, sizes);
  const single = [...grouped(all, ({ node }) => node.origin.path ?? graph.name)].map(
    ([path, nodes]): Layer => {
      const last = nodes.at(-1)!;
      const result = resultOf(last.node);
      const parameters = nodes.flatMap(n => n.inputs).filter(v => isNewParameter(v, seen));
      const works = nodes.map(({ node, times }) => ({ compute: computeOf(node), times }));
      const stored = works.some(w => w.compute?.reduce) || last.node.kind === 'loop';
      return {
        path,
        output: shapeAt(result, sizes),
        values: stored ? elements(result, sizes) : 0,
        weights: total(parameters.filter(v => v.type.shape.length > 1).map(v => elements(v, sizes))),
        parameters: total(parameters.map(v => elements(v, sizes))),
        multiplyAdds: total(works.map(w => (w.compute ? w.times * multiplyAddsOf(w.compute, sizes) : 0))),
        flops: total(works.map(w => (w.compute ? w.times * flopsOf(w.compute, sizes) : 0))),
        field: last.inside ? undefined : fields.get(result.id),
      };
    },
  );
  const layers = [
    ...grouped(single, l =>
      l.path
        .split('.')
        .slice(0, depth + 1)
        .join('.'),
    ),
  ].map(([path, parts]): Layer => ({ ...parts.at(-1)!, path, ...sumOf(parts) }));
  const fed = inputs.map(({ name, outputs: [value] }) => ({
    path: name,
    output: shapeAt(value, sizes),
    values: elements(value, sizes),
  }));
  const sum = sumOf(layers);
  return { inputs: fed, layers, ...sum, values: sum.values + total(fed.map(f => f.values)), dims: sizes };
}

function grouped<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const sumOf = (parts: readonly Counts[]): Counts => ({
  values: total(parts.map(p => p.values)),
  weights: total(parts.map(p => p.weights)),
  parameters: total(parts.map(p => p.parameters)),
  multiplyAdds: total(parts.map(p => p.multiplyAdds)),
  flops: total(parts.map(p => p.flops)),
});

/** With sizes that are no mere names in numbers: `[N, 64, 112, 112]` for `[N, 64, (H - 1) ~/ 2 + 1, …]`. */
const shapeAt = ({ type }: Value, dims: DimEnv): string =>
  printShape(type.shape.map(d => (D.symbols(d).has(d.key) ? d : D.constant(D.evaluate(d, dims)))));

const elements = ({ type }: Value, dims: DimEnv): number => D.evaluate(elementCount(type), dims);

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

/** Whether it is a parameter at its first use. */
function isNewParameter({ node }: Value, seen: Set<InputNode>): boolean {
  if (node.kind !== 'input' || node.role !== 'param' || seen.has(node)) return false;
  seen.add(node);
  return true;
}

function computeOf(node: OpNode | LoopNode): Compute | undefined {
  if (node.kind === 'loop') return undefined;
  return node.op.lower?.(
    node.inputs.map(v => v.type),
    node.attrs,
    node.outputs.map(v => v.type),
  );
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

export function formatLayers(title: string, table: LayerTable): string {
  const at = Object.entries(table.dims).map(([name, n]) => `${name} = ${n}`);
  const text = formatTable(
    [
      { title: 'layer', align: 'left' },
      { title: 'output', align: 'left' },
      ...countColumns,
      { title: 'receptive field', align: 'right' },
    ],
    [
      ...table.inputs.map(i => [i.path, i.output, formatCount(i.values), '', '', '', '', '']),
      ...table.layers.map(l => [l.path, l.output, ...countCells(l), l.field?.join('×') ?? '']),
      ['total', '', ...countCells(table), ''],
    ],
  );
  return `${title}${at.length === 0 ? '' : ` (FLOPs at ${at.join(', ')})`}\n${text}`;
}

/** Nets side by side. */
export function formatNets(nets: readonly ({ readonly name: string } & Counts)[]): string {
  return formatTable(
    [{ title: 'net', align: 'left' }, ...countColumns],
    nets.map(net => [net.name, ...countCells(net)]),
  );
}

const countColumns: readonly Column[] = ['values', 'weights', 'parameters', 'multiply-adds', 'FLOPs'].map(
  title => ({ title, align: 'right' }),
);

const countCells = (c: Counts): string[] =>
  [c.values, c.weights, c.parameters, c.multiplyAdds, c.flops].map(formatCount);
