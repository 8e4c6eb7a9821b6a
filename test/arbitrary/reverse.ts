import type { GraphBuilder } from '../../src/ir/builder.ts';
import type { Node, Value } from '../../src/ir/graph.ts';
import { isFloat } from '../../src/ir/type.ts';
import * as B from '../../src/ops/build.ts';

/**
 * Plain reverse mode over a builder's nodes, for tests of the ops' own rules: cotangents of `wrt` from those of
 * `seeds`. Undefined where nothing reaches a value. Throws `NotDifferentiable` at an op without a rule.
 */
export function reverse(
  b: GraphBuilder,
  seeds: readonly (readonly [Value, Value])[],
  wrt: readonly Value[],
): (Value | undefined)[] {
  const cotangents = new Map<Value, Value>();
  const accumulate = (v: Value, ct: Value) => {
    const known = cotangents.get(v);
    cotangents.set(v, known ? B.add(b, known, ct) : ct);
  };
  const reached = dependents(b.nodes, wrt);
  for (const [v, ct] of seeds) accumulate(v, ct);
  for (const node of [...b.nodes].reverse()) {
    if (node.kind !== 'op') continue;
    if (!node.inputs.some(v => reached.has(v) && isFloat(v.type.dtype))) continue;
    const cts = node.outputs.map(v => cotangents.get(v));
    if (cts.every(ct => ct === undefined)) continue;
    if (!node.op.vjp) throw new NotDifferentiable(node.op.name);
    node.op.vjp(b, cts, node.inputs, node.outputs, node.attrs).forEach((ct, i) => {
      if (ct) accumulate(node.inputs[i]!, ct);
    });
  }
  return wrt.map(v => cotangents.get(v));
}

export class NotDifferentiable extends Error {}

function dependents(nodes: readonly Node[], roots: readonly Value[]): ReadonlySet<Value> {
  const found = new Set(roots);
  for (const node of nodes)
    if (node.inputs.some(v => found.has(v))) for (const v of node.outputs) found.add(v);
  return found;
}
