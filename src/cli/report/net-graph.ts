import type { DimEnv } from '../../ir/dim.ts';
import { type Graph, graphInputs, type Value } from '../../ir/graph.ts';
import { layersOf } from '../explain/layers.ts';
import type { NetGraph } from './content.ts';

/** A net's graph with one box for each name in the net, and arrows where one reads what another makes. */
export function netGraph(name: string, graph: Graph, dims: DimEnv): NetGraph {
  const { inputs, layers } = layersOf(graph, dims, { depth: 1 });
  const boxes = [
    ...inputs.map(i => ({ name: i.path, output: i.output, parameters: 0 })),
    ...layers.map(l => ({ name: l.path, output: l.output, parameters: l.parameters })),
  ];
  const position = new Map(boxes.map((box, i) => [box.name, i]));
  const fed = new Set(graphInputs(graph).filter(n => n.role === 'input'));
  const boxOf = ({ node }: Value): number | undefined => {
    if (node.kind === 'input') return fed.has(node) ? position.get(node.name) : undefined;
    return position.get((node.origin.path ?? graph.name).split('.').slice(0, 2).join('.'));
  };
  // Constants are made once for all that use them, and come from no box.
  const follows = new Set<Value['node']>(fed);
  for (const node of graph.nodes)
    if (node.kind !== 'input' && node.inputs.some(v => follows.has(v.node))) follows.add(node);
  const arrows = new Map<string, readonly [number, number]>();
  for (const node of graph.nodes) {
    if (node.kind === 'input') continue;
    const to = boxOf(node.outputs[0]!);
    for (const value of node.inputs) {
      const from = follows.has(value.node) ? boxOf(value) : undefined;
      // What lies further up is a block that is read again, which a drawing from top to bottom leaves out.
      if (from !== undefined && to !== undefined && from < to) arrows.set(`${from} ${to}`, [from, to]);
    }
  }
  return { name, boxes, arrows: [...arrows.values()] };
}
