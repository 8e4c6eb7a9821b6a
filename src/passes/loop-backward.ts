import { GraphBuilder } from '../ir/builder.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Graph, InputNode, LoopNode, Node, OpNode, Value } from '../ir/graph.ts';
import { graphInputs } from '../ir/graph.ts';
import { loopParts } from '../ir/loop.ts';
import { elementCount, isFloat } from '../ir/type.ts';
import * as B from '../ops/build.ts';
import { InternalError } from '../support/internal-error.ts';
import { type OpenBody, TurnSums } from './loop-sums.ts';
import { unusedName, withTrace } from './loop-trace.ts';
import { rewriteGraph } from './rewrite.ts';

/** `propagate` of backward.ts. */
export type Propagate = (
  builder: GraphBuilder,
  nodes: readonly Node[],
  cotangents: Map<Value, Value>,
  roots: readonly Value[],
) => void;

/**
 * Cotangents of a loop's inputs, by a loop that takes the turns in the opposite order. Its states are the cotangents
 * of the loop's states and the sums for what enters every turn; it yields those of the slices. Each turn starts from
 * the states that the loop had there (see `withTrace`), so that its inside is differentiated like any other graph:
 * reverse mode over a scan as in JAX (Bradbury et al., 2018).
 */
export function emitLoopBackward(
  builder: GraphBuilder,
  loop: LoopNode,
  given: readonly (Value | undefined)[],
  isActive: (value: Value) => boolean,
  propagate: Propagate,
): readonly (Value | undefined)[] {
  const { consts, carries, slices, yields } = loopParts(loop);
  const way = new WayBack(loop, builder);
  const forward = way.replay();
  const cotangentOf = new Map(loop.outputs.map((v, i) => [v, given[i]]));

  // From behind: the cotangents of what the turn left and yielded.
  const floats = carries.filter(c => isFloat(c.initial.type.dtype));
  const states = floats.map(({ inner, final, update }) => {
    const ct = way.enter(
      'state',
      `cotangent ${inner.name}`,
      cotangentOf.get(final) ?? B.zerosLike(builder, final),
    );
    way.seed(update.value, ct);
    return { inner, state: ct };
  });
  for (const { output, stack } of yields) {
    const ct = cotangentOf.get(stack);
    if (ct) way.seed(output.value, way.enter('data', `cotangent ${output.name}`, ct));
  }
  const summed = consts.filter(c => isActive(c.value));
  const sliced = slices.filter(s => isActive(s.stack));

  const roots = [...floats, ...summed, ...sliced].map(({ inner }) => way.now(inner.outputs[0]));
  propagate(way.b, forward, way.cotangents, roots);
  way.b.origin = loop.origin;
  for (const { inner, state } of states) way.leave(state, way.found(inner) ?? B.zerosLike(way.b, state));
  const turnSums = new TurnSums(builder, way);
  const sums = summed.map(({ inner, value }) => {
    const part = way.found(inner);
    return { inner, total: part ? turnSums.total(part) : () => B.zerosLike(builder, value) };
  });
  for (const { inner } of sliced) {
    const value = way.found(inner) ?? B.zerosLike(way.b, way.now(inner.outputs[0]));
    way.b.output({ name: `cotangent ${inner.name}`, role: 'result', value });
  }
  turnSums.close();
  const { body, inputs } = way.finish();
  builder.loop({ body, steps: loop.steps, reverse: !loop.reverse }, inputs);
  const made = builder.nodes.at(-1) as LoopNode;
  turnSums.built(made);
  const { carries: ends, yields: stacks } = loopParts(made);
  const found = new Map<InputNode, Value>([
    ...states.map(({ inner }, i) => [inner, ends[i]!.final] as const),
    ...sums.map(({ inner, total }) => [inner, total(builder)] as const),
    ...sliced.map(({ inner }, i) => [inner, stacks[i]!.stack] as const),
  ]);
  return graphInputs(loop.body).map(inner => found.get(inner));
}

/** The body of the backward loop under construction. */
class WayBack implements OpenBody {
  readonly b: GraphBuilder;
  /** Of values of this body. */
  readonly cotangents = new Map<Value, Value>();
  readonly #loop: LoopNode;
  /** What the loop's inputs stand for outside, by name. */
  readonly #outside = new Map<string, Value>();
  /** Values of the forward body here. */
  readonly #values = new Map<Value, Value>();
  /** What the forward loop remembers, by the value inside it. */
  readonly #traces: ReadonlyMap<Value, Value>;
  readonly steps: Dim;
  readonly #around: GraphBuilder;

  constructor(loop: LoopNode, around: GraphBuilder) {
    this.#loop = loop;
    this.#around = around;
    this.steps = loop.steps;
    this.b = new GraphBuilder(`${loop.body.name} backward`);
    this.b.origin = loop.origin;
    this.#traces = new Map(loopParts(loop).yields.map(y => [y.output.value, y.stack]));
  }

  /** A value of the forward body. */
  now(value: Value): Value {
    const found = this.#values.get(value);
    if (!found) throw new InternalError(`%${value.id} is no value of the loop`);
    return found;
  }

  enter(role: 'input' | 'data' | 'state', wish: string, outside: Value): Value {
    const name = unusedName(wish, this.#outside);
    this.#outside.set(name, outside);
    const { dtype, shape } = outside.type;
    const type = role === 'data' ? { dtype, shape: shape.slice(1) } : outside.type;
    return this.b.input(role, name, type, this.#loop.origin);
  }

  outside(value: Value): { readonly stack: Value } | { readonly same: Value } | undefined {
    const { node } = value;
    if (node.kind === 'input') {
      const outside = this.#outside.get(node.name)!;
      return node.role === 'data'
        ? { stack: outside }
        : node.role === 'input'
          ? { same: outside }
          : undefined;
    }
    const stack = this.#remembered().get(value);
    return stack && { stack };
  }

  unusedName(wish: string): string {
    return unusedName(wish, this.#outside);
  }

  /** What the forward loop remembers, by the value here. */
  #remembered(): ReadonlyMap<Value, Value> {
    return new Map(
      [...this.#traces].flatMap(([value, stack]) => {
        const own = this.now(value);
        return own.node.kind === 'op' ? [[own, stack] as const] : [];
      }),
    );
  }

  /** The new value of a state. */
  leave(state: Value, value: Value): void {
    const { name } = state.node as InputNode;
    this.b.output({ name, role: 'update', target: name, value });
  }

  /** The turn itself, from the values that it began with. Its nodes. */
  replay(): readonly Node[] {
    const { body } = this.#loop;
    const { consts, slices, carries } = loopParts(this.#loop);
    const set = (inner: InputNode, value: Value) => this.#values.set(inner.outputs[0], value);
    for (const { inner, value } of consts) set(inner, this.enter('input', inner.name, value));
    for (const { inner, stack } of slices) set(inner, this.enter('data', inner.name, stack));
    for (const { inner } of carries) {
      const stack = this.#traces.get(inner.outputs[0]);
      if (!stack) throw new InternalError(`a loop keeps no trace of ${inner.name}`);
      set(inner, this.enter('data', inner.name, stack));
    }
    for (const node of body.nodes) {
      if (node.kind === 'input') continue;
      this.b.origin = node.origin;
      const inputs = node.inputs.map(v => this.now(v));
      const results =
        node.kind === 'op' ? this.b.emitAll(node.op, inputs, node.attrs) : this.b.loop(node, inputs);
      node.outputs.forEach((v, i) => {
        this.#values.set(v, results[i]!);
      });
    }
    return [...this.b.nodes];
  }

  /** Adds to the cotangent of a value of the forward body. */
  seed(value: Value, ct: Value): void {
    const own = this.now(value);
    const before = this.cotangents.get(own);
    this.cotangents.set(own, before ? B.add(this.b, before, ct) : ct);
  }

  found(inner: InputNode): Value | undefined {
    return this.cotangents.get(this.now(inner.outputs[0]));
  }

  /** The body in which what the forward loop remembers is not computed again, and what its inputs are outside. */
  finish(): { readonly body: Graph; readonly inputs: readonly Value[] } {
    const stacks = this.#remembered();
    const names = new Map<Value, string>();
    const body = rewriteGraph(this.b.build(), {
      replace: (builder, node, inputs) => {
        if (!node.outputs.every(v => stacks.has(v))) return this.#sameInAllTurns(builder, node, inputs);
        return node.outputs.map(v => {
          const name = names.get(v) ?? unusedName(`trace ${v.id}`, this.#outside);
          names.set(v, name);
          this.#outside.set(name, stacks.get(v)!);
          return builder.input('data', name, v.type, node.origin);
        });
      },
      // What lies inside an inner loop is not known here.
      loop: (builder, node, inputs) => builder.loop(node, inputs as readonly Value[]),
    });
    const inputs = graphInputs(body).map(n => this.#outside.get(n.name)!);
    return { body: withTrace(body), inputs };
  }
  /** What enters every turn alike is worked on outside, unless that makes it larger (`broadcast`). */
  #sameInAllTurns(
    builder: GraphBuilder,
    node: OpNode,
    inputs: readonly Value[],
  ): readonly Value[] | undefined {
    const same = inputs.flatMap(({ node: n }) =>
      n.kind === 'input' && n.role === 'input' ? [this.#outside.get(n.name)!] : [],
    );
    const size = (v: Value): Dim => elementCount(v.type);
    const grows = node.outputs.some(out => !inputs.some(v => D.equal(size(v), size(out))));
    if (same.length === 0 || same.length < inputs.length || grows) return undefined;
    return this.#around.emitAll(node.op, same, node.attrs).map(outside => {
      const name = unusedName(`same ${outside.id}`, this.#outside);
      this.#outside.set(name, outside);
      return builder.input('input', name, outside.type, node.origin);
    });
  }
}
