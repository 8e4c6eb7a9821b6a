import { GraphBuilder } from './builder.ts';
import type { Dim } from './dim.ts';
import type { InputNode, Node, Value } from './graph.ts';
import { graphInputs } from './graph.ts';

interface Entering {
  readonly role: 'data' | 'state';
  readonly name: string;
  readonly standIn: Value;
  readonly outside: Value;
}

/**
 * A loop whose body is made in the builder of the graph around it. What turns out not to depend on the turn stays
 * outside, where it is computed once.
 */
export class LoopBuilder {
  readonly #b: GraphBuilder;
  readonly #from: number;
  readonly #entering: Entering[] = [];

  constructor(b: GraphBuilder) {
    this.#b = b;
    this.#from = b.nodes.length;
  }

  /** The turn's slice of a stack along its leading axis. Names of slices and carries are unique. */
  slice(name: string, stack: Value): Value {
    const { dtype, shape } = stack.type;
    return this.#enter('data', name, stack, this.#b.standIn({ dtype, shape: shape.slice(1) }, name));
  }

  /** What the turn before left, or `initial`. */
  carry(name: string, initial: Value): Value {
    return this.#enter('state', name, initial, this.#b.standIn(initial.type, name));
  }

  #enter(role: Entering['role'], name: string, outside: Value, standIn: Value): Value {
    this.#entering.push({ role, name, standIn, outside });
    return standIn;
  }

  /** Takes the nodes of an unfinished body out of the graph. */
  abandon(): readonly Node[] {
    const roots = this.#entering.map(e => e.standIn);
    return this.#b.takeDependents(this.#from, roots);
  }

  /**
   * Ends the body: new values of the carries by name, and what each turn yields. Gives the carries after the last
   * turn, then the stacks of what was yielded.
   */
  finish(
    name: string,
    { steps, reverse }: { readonly steps: Dim; readonly reverse: boolean },
    updates: ReadonlyMap<string, Value>,
    yields: readonly { readonly name: string; readonly value: Value }[],
  ): readonly Value[] {
    const own = this.abandon();
    const inside = [...this.#forMacros(own), ...own];
    const body = new GraphBuilder(name);
    const values = new Map<Value, Value>();
    const outside = new Map<string, Value>();
    const enter = (role: InputNode['role'], wish: string, value: Value, of: Value): Value => {
      let unique = wish;
      for (let n = 2; outside.has(unique); n++) unique = `${wish} ${n}`;
      outside.set(unique, value);
      const inner = body.input(role, unique, of.type, of.node.origin);
      values.set(of, inner);
      return inner;
    };
    for (const e of this.#entering) enter(e.role, e.name, e.outside, e.standIn);
    const within = (value: Value): Value =>
      values.get(value) ?? enter('input', constName(value), value, value);
    for (const node of inside) {
      body.origin = node.origin;
      const inputs = node.inputs.map(within);
      const results =
        node.kind === 'op'
          ? body.emitAll(node.op, inputs, node.attrs)
          : node.kind === 'loop'
            ? body.loop(node, inputs)
            : [];
      node.outputs.forEach((v, i) => {
        values.set(v, results[i]!);
      });
    }
    for (const { role, name: target } of this.#entering)
      if (role === 'state')
        body.output({ name: target, role: 'update', target, value: within(updates.get(target)!) });
    for (const { name: yielded, value } of yields)
      body.output({ name: `yield ${yielded}`, role: 'result', value: within(value) });
    const graph = body.build();
    const read = graphInputs(graph).map(n => outside.get(n.name)!);
    return this.#b.loop({ body: graph, steps, reverse }, read);
  }

  /**
   * Nodes of the graph around that the body needs copies of: a macro stands for what lies between its inputs, from the
   * later ones to the first, and must find that in its own graph.
   */
  #forMacros(inside: readonly Node[]): readonly Node[] {
    const around = this.#b.nodes;
    let copied: readonly Node[] = [];
    for (;;) {
      const all = [...copied, ...inside];
      const macros = all.flatMap(n => (n.kind === 'op' && n.op.kind === 'macro' ? [n.inputs] : []));
      if (macros.length === 0) return copied;
      const after = dependents(
        around,
        macros.flatMap(([, ...from]) => from),
      );
      const before = ancestors(macros.map(([to]) => to!.node));
      const needed = around.filter(n => copied.includes(n) || (after.has(n) && before.has(n)));
      if (needed.length === copied.length) return copied;
      copied = needed;
    }
  }
}

function dependents(nodes: readonly Node[], roots: readonly Value[]): ReadonlySet<Node> {
  const values = new Set(roots);
  const found = new Set<Node>();
  for (const node of nodes)
    if (node.inputs.some(v => values.has(v))) {
      found.add(node);
      for (const v of node.outputs) values.add(v);
    }
  return found;
}

function ancestors(nodes: readonly Node[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  const pending = [...nodes];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    pending.push(...node.inputs.map(v => v.node));
  }
  return found;
}

/** What a value from outside is called in the body. */
function constName({ node, id }: Value): string {
  return node.kind === 'input' ? node.name : `%${id}`;
}
