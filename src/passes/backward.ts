import type { GraphBuilder } from '../ir/builder.ts';
import { describe } from '../ir/builder.ts';
import type { LoopNode, Node, OpNode, Origin, Value } from '../ir/graph.ts';
import { isFloat, sameType } from '../ir/type.ts';
import { add } from '../ops/add.ts';
import * as B from '../ops/build.ts';
import { InternalError } from '../support/internal-error.ts';
import { emitLoopBackward } from './loop-backward.ts';

export interface Backward {
  /** One per `wrt`, of its type; 0 where nothing reaches it. */
  readonly gradients: readonly Value[];
  readonly unreached: readonly Unreached[];
}

/** A value that the differentiated scalar does not depend on, or only through ops that pass no gradient on. */
export interface Unreached {
  readonly value: Value;
  /** The ops at which the gradient ends; none where there is no way at all. */
  readonly cutBy: readonly OpNode[];
}

/**
 * Reverse mode: emits the gradient of the scalar `of` with respect to `wrt`, which lie in the builder's graph. Walks
 * from `of` back over the nodes between it and any `wrt`, in reverse order, and adds cotangents in that order, so that
 * the sum of a value with several uses is always taken the same way. On the way everything is `scale` times as large.
 */
export function emitBackward(builder: GraphBuilder, of: Value, wrt: readonly Value[], scale = 1): Backward {
  const before = builder.origin;
  const forward = [...builder.nodes];
  builder.origin = backwardOrigin(of.node.origin);
  const cotangents = new Map<Value, Value>([[of, B.full(builder, scale, of.type)]]);
  propagate(builder, forward, cotangents, wrt);
  const reached = wrt.map(value => {
    const ct = cotangents.get(value);
    return ct && scale !== 1 ? B.mul(builder, ct, 1 / scale) : ct;
  });
  builder.origin = before;
  const gradients = reached.map((ct, i) => ct ?? B.zerosLike(builder, wrt[i]!));
  const lost = new Set(wrt.filter((_, i) => !reached[i]));
  const unreached = [...lost].map(value => ({ value, cutBy: cuts(forward, of, value, cotangents) }));
  return { gradients, unreached };
}

/**
 * Takes given cotangents back over nodes of the builder's graph, as far as one of `roots` lies behind; `cotangents`
 * holds all of them afterwards. Changes the builder's origin.
 */
function propagate(
  builder: GraphBuilder,
  nodes: readonly Node[],
  cotangents: Map<Value, Value>,
  roots: readonly Value[],
): void {
  const carries = carriersFrom(nodes, roots);
  for (const value of cotangents.keys()) if (!carries.has(value)) cotangents.delete(value);
  for (const node of nodes.toReversed())
    if (node.kind !== 'input') stepBack(builder, node, carries, cotangents);
}

/** Values that a differentiable chain joins to one of `roots`. Integers and booleans carry no cotangent. */
function carriersFrom(nodes: readonly Node[], roots: readonly Value[]): ReadonlySet<Value> {
  const carries = new Set(roots);
  for (const node of nodes)
    if (isPassable(node) && node.inputs.some(v => carries.has(v)))
      for (const out of node.outputs) if (isFloat(out.type.dtype)) carries.add(out);
  return carries;
}

const isPassable = (node: Node): boolean =>
  node.kind === 'loop' || (node.kind === 'op' && node.op.vjp !== undefined);

/** Takes the cotangents of a node's outputs to its inputs. */
function stepBack(
  builder: GraphBuilder,
  node: OpNode | LoopNode,
  carries: ReadonlySet<Value>,
  cotangents: Map<Value, Value>,
): void {
  const { inputs, outputs } = node;
  if (!inputs.some(v => carries.has(v))) return;
  const given = outputs.map(v => cotangents.get(v));
  if (!given.some(ct => ct)) return;
  builder.origin = backwardOrigin(node.origin);
  const results =
    node.kind === 'loop'
      ? emitLoopBackward(builder, node, given, v => carries.has(v), propagate)
      : node.op.vjp?.(builder, given, inputs, outputs, node.attrs);
  if (!results) return;
  inputs.forEach((input, i) => {
    const ct = results[i];
    if (!ct || !carries.has(input)) return;
    if (!sameType(ct.type, input.type))
      throw new InternalError(
        `the gradient rule of ${node.kind === 'op' ? `\`${node.op.name}\`` : 'a loop'} gives ${describe(ct)} for input ${i}, which is ${describe(input)}`,
      );
    const known = cotangents.get(input);
    cotangents.set(input, known ? builder.emit(add, [known, ct]) : ct);
  });
}

/** The same place in the source; the path says that it is the way back. */
function backwardOrigin({ path, ...origin }: Origin): Origin {
  if (path === undefined) return origin;
  return { ...origin, path: path.endsWith(' backward') ? path : `${path} backward` };
}

/**
 * The first nodes between `value` and `of` at which its gradient ends: those that it comes to, but that have no rule
 * or no float result on the way; and those whose rule gives it nothing. What lies behind them is not to blame.
 */
function cuts(
  forward: readonly Node[],
  of: Value,
  value: Value,
  cotangents: ReadonlyMap<Value, Value>,
): readonly OpNode[] {
  const carries = new Set([value]);
  const needed = ancestors(of);
  const found: OpNode[] = [];
  for (const node of forward) {
    if (node.kind !== 'op' || !node.inputs.some(v => carries.has(v))) continue;
    const onTheWay = node.outputs.filter(v => needed.has(v));
    if (onTheWay.length === 0) continue;
    const passable = node.op.vjp ? onTheWay.filter(v => isFloat(v.type.dtype)) : [];
    if (passable.length === 0 || onTheWay.some(v => cotangents.has(v))) found.push(node);
    else for (const out of passable) carries.add(out);
  }
  return found;
}

function ancestors(of: Value): ReadonlySet<Value> {
  const found = new Set<Value>();
  const pending = [of];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (found.has(value)) continue;
    found.add(value);
    pending.push(...value.node.inputs);
  }
  return found;
}
