import type { Graph, Node } from '../ir/graph.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

/** Leaves out what no output needs. Tensors that the host gives stay, or the signature would change. */
export function eliminateDead(graph: Graph): Graph {
  const live = liveNodes(graph);
  return rewriteGraph(graph, { keep: node => live.has(node) });
}

/**
 * The nodes that outputs need; inputs of role `input` and `data`; and params and states that an update writes even
 * if nothing reads them.
 */
export function liveNodes(graph: Graph): ReadonlySet<Node> {
  const live = new Set<Node>();
  const pending: Node[] = graph.outputs.map(o => o.value.node);
  const targets = new Set(graph.outputs.map(o => o.target));
  for (const node of graph.nodes)
    if (node.kind === 'input' && (node.role === 'input' || node.role === 'data' || targets.has(node.name)))
      pending.push(node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (live.has(node)) continue;
    live.add(node);
    for (const { node: producer } of node.inputs) pending.push(producer);
  }
  return live;
}

export const eliminate: Pass<Graph> = {
  name: 'eliminate',
  doc: 'drops nodes, params and states that no output needs',
  run: eliminateDead,
};
