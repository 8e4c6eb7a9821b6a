import type { GraphBuilder } from '../ir/builder.ts';
import type { Graph, LoopNode, Node, Output, Value } from '../ir/graph.ts';
import { graphInputs } from '../ir/graph.ts';
import { loopParts } from '../ir/loop.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

/** Leaves out what no output needs. Tensors that the host gives stay, or the signature would change. */
export function eliminateDead(graph: Graph): Graph {
  return without(graph, findLive(graph));
}

/** The same, but every input stays. */
export function dropUnused(graph: Graph): Graph {
  const live = findLive(graph);
  for (const node of graph.nodes) if (node.kind === 'input') live.nodes.add(node);
  return without(graph, live);
}

/** What outputs need, inside the bodies of loops too. */
export interface Live {
  readonly nodes: Set<Node>;
  readonly values: Set<Value>;
}

/**
 * The nodes that outputs need; inputs of role `input` and `data`; and params and states that an update writes even
 * if nothing reads them.
 */
export function findLive(graph: Graph): Live {
  const live: Live = { nodes: new Set(), values: new Set() };
  for (const output of graph.outputs) live.values.add(output.value);
  const targets = new Set(graph.outputs.map(o => o.target));
  for (const node of graphInputs(graph))
    if (node.role === 'input' || node.role === 'data' || targets.has(node.name)) live.nodes.add(node);
  markBackwards(graph, live);
  return live;
}

/** Marks the nodes of a graph that make live values. A node follows all that it reads, so one walk is enough. */
function markBackwards(graph: Graph, live: Live): void {
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(v => live.values.has(v))) continue;
    live.nodes.add(node);
    if (node.kind === 'loop') markLoop(node, live);
    else for (const v of node.inputs) live.values.add(v);
  }
}

/** A state is needed after the loop, or by something in a turn that is needed: which the next round may find. */
function markLoop(loop: LoopNode, live: Live): void {
  const { consts, carries, slices, yields } = loopParts(loop);
  for (const y of yields) if (live.values.has(y.stack)) live.values.add(y.output.value);
  for (let open = carries; ; ) {
    markBackwards(loop.body, live);
    const needed = open.filter(c => live.values.has(c.final) || live.values.has(c.inner.outputs[0]));
    if (needed.length === 0) break;
    open = open.filter(c => !needed.includes(c));
    for (const { inner, initial, update } of needed) {
      live.nodes.add(inner);
      live.values.add(inner.outputs[0]).add(update.value).add(initial);
    }
  }
  for (const { inner, value } of consts) if (live.nodes.has(inner)) live.values.add(value);
  for (const { inner, stack } of slices) if (live.nodes.has(inner)) live.values.add(stack);
}

function without(graph: Graph, live: Live): Graph {
  const keep = (node: Node): boolean => live.nodes.has(node);
  const loop = (
    builder: GraphBuilder,
    node: LoopNode,
    inputs: readonly (Value | undefined)[],
  ): readonly (Value | undefined)[] => {
    const { carries, yields } = loopParts(node);
    const kept = [
      ...carries.map(c => (keep(c.inner) ? c.update : undefined)),
      ...yields.map(y => (live.values.has(y.stack) ? y.output : undefined)),
    ];
    // One stack is enough for one value.
    const identity = (o: Output): Value | Output => (o.role === 'result' ? o.value : o);
    const distinct = new Map(kept.flatMap(o => (o ? [[identity(o), o] as const] : [])));
    const outputs = [...distinct.values()];
    const body = rewriteGraph({ ...node.body, outputs }, { keep, loop });
    const read = graphInputs(node.body).flatMap((n, i) => (keep(n) ? [inputs[i]!] : []));
    const results = builder.loop({ ...node, body }, read);
    return kept.map(o => o && results[outputs.indexOf(distinct.get(identity(o))!)]!);
  };
  return rewriteGraph(graph, { keep, loop });
}

export const eliminate: Pass<Graph> = {
  name: 'eliminate',
  doc: 'drops nodes, params and states that no output needs',
  run: eliminateDead,
};
