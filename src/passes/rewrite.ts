import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, OpNode, Value } from '../ir/graph.ts';
import { printNode } from '../ir/print/graph.ts';
import { sameType } from '../ir/type.ts';
import { InternalError } from '../support/internal-error.ts';

export interface Rewrite {
  /**
   * Values that stand for the node's outputs in the new graph, of the same types; undefined: the node is copied.
   * `inputs` are the node's inputs in the new graph, and `builder.origin` is the node's own.
   */
  replace?(builder: GraphBuilder, node: OpNode, inputs: readonly Value[]): readonly Value[] | undefined;
  /** Nodes for which it is false are left out; nothing that is kept may need them. */
  keep?(node: Node): boolean;
}

/**
 * Rebuilds a graph node by node in a new builder, so that equal nodes become one. The order of inputs, origins,
 * roles and outputs are kept.
 */
export function rewriteGraph(graph: Graph, { replace, keep }: Rewrite = {}): Graph {
  const builder = new GraphBuilder(graph.name);
  const values = new Map<Value, Value>();
  const mapped = (value: Value): Value => {
    const found = values.get(value);
    if (!found) throw new InternalError(`%${value.id} of ${graph.name} is needed, but was left out`);
    return found;
  };
  for (const node of graph.nodes) {
    if (keep && !keep(node)) continue;
    builder.origin = node.origin;
    const results = rebuild(builder, node, node.inputs.map(mapped), replace);
    node.outputs.forEach((old, i) => {
      const value = results[i];
      if (!value || !sameType(value.type, old.type))
        throw new InternalError(`the replacement of ${printNode(node)} has other types`);
      values.set(old, value);
    });
  }
  for (const output of graph.outputs) builder.output({ ...output, value: mapped(output.value) });
  return builder.build();
}

function rebuild(
  builder: GraphBuilder,
  node: Node,
  inputs: readonly Value[],
  replace: Rewrite['replace'],
): readonly Value[] {
  switch (node.kind) {
    case 'input':
      return [builder.input(node.role, node.name, node.outputs[0].type)];
    case 'op':
      return replace?.(builder, node, inputs) ?? builder.emitAll(node.op, inputs, node.attrs);
    case 'loop':
      throw new InternalError(`a loop is not a node that can be rebuilt: ${printNode(node)}`);
  }
}
