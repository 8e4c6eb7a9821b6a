import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, LoopNode, Node, OpNode, Value } from '../ir/graph.ts';
import { printNode } from '../ir/print/graph.ts';
import { sameType } from '../ir/type.ts';
import { InternalError } from '../support/internal-error.ts';

export interface Rewrite {
  /**
   * Values that stand for the node's outputs in the new graph, of the same types; undefined: the node is copied.
   * `inputs` are the node's inputs in the new graph, and `builder.origin` is the node's own.
   */
  replace?(builder: GraphBuilder, node: OpNode, inputs: readonly Value[]): readonly Value[] | undefined;
  /**
   * The same for a loop, which otherwise is copied with its body rewritten by the same rules. Inputs that were left
   * out are undefined, and so are outputs that are.
   */
  loop?(
    builder: GraphBuilder,
    node: LoopNode,
    inputs: readonly (Value | undefined)[],
  ): readonly (Value | undefined)[] | undefined;
  /** Nodes for which it is false are left out; nothing that is kept may need them. */
  keep?(node: Node): boolean;
}

/**
 * Rebuilds a graph node by node in a new builder, so that equal nodes become one. The order of inputs, origins,
 * roles and outputs are kept.
 */
export function rewriteGraph(graph: Graph, rules: Rewrite = {}): Graph {
  const { keep } = rules;
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
    const results =
      (node.kind === 'loop' &&
        rules.loop?.(
          builder,
          node,
          node.inputs.map(v => values.get(v)),
        )) ||
      rebuild(builder, node, node.inputs.map(mapped), rules);
    node.outputs.forEach((old, i) => {
      const value = results[i];
      if (value ? !sameType(value.type, old.type) : node.kind !== 'loop')
        throw new InternalError(`the replacement of ${printNode(node)} has other types`);
      if (value) values.set(old, value);
    });
  }
  for (const output of graph.outputs) builder.output({ ...output, value: mapped(output.value) });
  return builder.build();
}

function rebuild(
  builder: GraphBuilder,
  node: Node,
  inputs: readonly Value[],
  rules: Rewrite,
): readonly Value[] {
  switch (node.kind) {
    case 'input':
      return [builder.input(node.role, node.name, node.outputs[0].type)];
    case 'op':
      return rules.replace?.(builder, node, inputs) ?? builder.emitAll(node.op, inputs, node.attrs);
    case 'loop':
      return builder.loop({ ...node, body: rewriteGraph(node.body, rules) }, inputs);
  }
}
