import type { GraphBuilder } from '../ir/builder.ts';
import type { Graph, OpNode, Value } from '../ir/graph.ts';
import { printNode } from '../ir/print/graph.ts';
import { sameType } from '../ir/type.ts';
import { InternalError } from '../support/internal-error.ts';
import { hasInnerTargets } from './differentiate.ts';
import { dropUnused } from './eliminate.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

/** So many rewrites one node of the graph may set off; only rules that produce ever new nodes come near. */
const rewriteLimit = 1000;

/**
 * Applies the rules that stand in the ops' own files, until none applies, and merges equal nodes. Rules look at a
 * node's inputs alone, so one walk in topological order is enough if the nodes that a rule makes are simplified at
 * once. What the rules leave unused is dropped; inputs stay.
 *
 * A graph with gradients with respect to inner values is left as it is (see `hasInnerTargets`).
 */
export function canonicaliseGraph(graph: Graph): Graph {
  if (hasInnerTargets(graph)) return graph;
  const simplifier = new Simplifier();
  const simplified = rewriteGraph(graph, {
    replace: (builder, node, inputs) =>
      simplifier.run(builder, builder.emitAll(node.op, inputs, node.attrs), node),
  });
  return dropUnused(simplified);
}

class Simplifier {
  /** Nodes that are done or under way, and what stands for them. */
  readonly #known = new Map<OpNode, readonly Value[]>();
  #budget = 0;

  run(builder: GraphBuilder, outputs: readonly Value[], cause: OpNode): readonly Value[] {
    this.#budget = rewriteLimit;
    return outputs.map(v => this.#value(builder, v, cause));
  }

  #value(builder: GraphBuilder, value: Value, cause: OpNode): Value {
    return value.node.kind === 'op' ? this.#node(builder, value.node, cause)[value.index]! : value;
  }

  #node(builder: GraphBuilder, node: OpNode, cause: OpNode): readonly Value[] {
    const known = this.#known.get(node);
    if (known) return known;
    if (this.#budget-- === 0)
      throw new InternalError(
        `rules do not come to an end on ${printNode(cause)}; the last is of \`${node.op.name}\``,
      );
    // Two rules that undo each other meet here: the node stands for itself then.
    this.#known.set(node, node.outputs);
    // A node that a rule has made may have inputs made by the same rule.
    const inputs = node.inputs.map(v => this.#value(builder, v, cause));
    const changed = inputs.some((v, i) => v !== node.inputs[i]);
    const next = changed
      ? builder.emitAll(node.op, inputs, node.attrs, node.origin)
      : node.op.simplify?.(builder, node.inputs, node.attrs, node.outputs);
    if (!next) return node.outputs;
    if (next.length !== node.outputs.length || next.some((v, i) => !sameType(v.type, node.outputs[i]!.type)))
      throw new InternalError(`a rule of \`${node.op.name}\` changes the type of ${printNode(node)}`);
    const results = next.map(v => this.#value(builder, v, cause));
    this.#known.set(node, results);
    return results;
  }
}

export const canonicalise: Pass<Graph> = {
  name: 'canonicalise',
  doc: "applies every op's own rules until none applies, and merges equal nodes",
  run: canonicaliseGraph,
};
