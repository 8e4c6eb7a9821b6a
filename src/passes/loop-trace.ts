import type { Graph, Output, Value } from '../ir/graph.ts';
import type { PrimitiveKind } from '../ir/primitive.ts';
import { rewriteGraph } from './rewrite.ts';

/** Kinds whose results the way back reads from memory; everything else is computed again from them. */
const remembered: readonly PrimitiveKind[] = ['contraction', 'reduction', 'window', 'gather'];

/**
 * A body that also yields what the way back needs of every turn: the states before it, and the results that are
 * costly to compute again. What turns out not to be needed is dropped by `eliminate`. A loop inside is run again on the
 * way back, and remembers its own turns there.
 */
export function withTrace(source: Graph): Graph {
  const body = source.nodes.some(n => n.kind === 'loop')
    ? rewriteGraph(source, {
        loop: (b, node, inputs) =>
          b.loop({ ...node, body: withTrace(node.body) }, inputs as readonly Value[]),
      })
    : source;
  const wanted = body.nodes.flatMap((node): readonly Value[] => {
    if (node.kind === 'input') return node.role === 'state' ? node.outputs : [];
    return node.kind === 'op' && remembered.includes(node.op.kind) ? node.outputs : [];
  });
  const known = new Set(body.outputs.filter(o => o.role === 'result').map(o => o.value));
  const outputs = new Map<string, Output>(body.outputs.map(o => [o.name, o]));
  for (const value of wanted) {
    if (known.has(value)) continue;
    const name = unusedName(`trace ${value.id}`, outputs);
    outputs.set(name, { name, role: 'result', value });
  }
  return { ...body, outputs: [...outputs.values()] };
}

/** `wish`, with primes where that name is taken. */
export function unusedName(wish: string, taken: { has(name: string): boolean }): string {
  let name = wish;
  while (taken.has(name)) name += "'";
  return name;
}
