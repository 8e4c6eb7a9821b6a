import type { Span } from '../support/source.ts';
import type { Graph, InputNode, LoopNode, Node, OpNode, Origin, Output, Value } from './graph.ts';
import { loopTypes } from './loop.ts';
import type { Attr, Attrs, Primitive } from './primitive.ts';
import { withDefaults } from './primitive.ts';
import type { TensorType } from './type.ts';
import { printType } from './type.ts';

/**
 * The only way to make a node: fills and canonicalises attributes, infers types, and interns, so that equal
 * nodes are one node. Throws `ShapeError` where the op's rule rejects.
 */
export class GraphBuilder {
  readonly name: string;
  readonly nodes: Node[] = [];
  readonly outputs: Output[] = [];
  /** Given to nodes made without an origin of their own; passes set it while they rewrite or differentiate a node. */
  origin: Origin = {};
  readonly #interned = new Map<string, OpNode>();
  readonly #inputs = new Map<string, InputNode>();
  #nextId = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** All outputs of the node. */
  emitAll(
    op: Primitive,
    inputs: readonly Value[],
    attrs: Attrs = {},
    origin: Origin = this.origin,
  ): readonly Value[] {
    const types = inputs.map(v => v.type);
    const full = withDefaults(op, attrs);
    const prepared = op.prepare ? op.prepare(types, full) : full;
    const key = `${op.name}(${inputs.map(v => v.id).join()})${attrsKey(op, prepared)}`;
    const known = this.#interned.get(key);
    if (known) return known.outputs;
    const outputs: Value[] = [];
    const node: OpNode = { kind: 'op', op, inputs, attrs: prepared, outputs, origin };
    for (const type of op.infer(types, prepared)) outputs.push(this.#value(type, node, outputs.length));
    this.nodes.push(node);
    this.#interned.set(key, node);
    return outputs;
  }

  /** The node's first (usually only) output. */
  emit(op: Primitive, inputs: readonly Value[], attrs: Attrs = {}, origin: Origin = this.origin): Value {
    return this.emitAll(op, inputs, attrs, origin)[0]!;
  }

  /** A second request for a name gives the first one's value. */
  input(role: InputNode['role'], name: string, type: TensorType, origin: Origin = this.origin): Value {
    const known = this.#inputs.get(name);
    if (known) return known.outputs[0];
    const node = this.#inputNode(role, name, type, origin);
    this.nodes.push(node);
    this.#inputs.set(name, node);
    return node.outputs[0];
  }

  /** All outputs of the loop: its states after the last turn, then what it stacks (see `LoopNode`). */
  loop(
    { body, steps, reverse }: Pick<LoopNode, 'body' | 'steps' | 'reverse'>,
    inputs: readonly Value[],
    origin: Origin = this.origin,
  ): readonly Value[] {
    const outputs: Value[] = [];
    const node: LoopNode = { kind: 'loop', body, steps, reverse, inputs, outputs, origin };
    for (const type of loopTypes(body, steps)) outputs.push(this.#value(type, node, outputs.length));
    this.nodes.push(node);
    return outputs;
  }

  /** A value that stands for an input of a loop's body until `takeDependents` has it; no node of this graph. */
  standIn(type: TensorType, name: string, origin: Origin = this.origin): Value {
    return this.#inputNode('state', name, type, origin).outputs[0];
  }

  /** Takes out the nodes made since there were `from` that depend on `roots`: they belong into a loop's body. */
  takeDependents(from: number, roots: Iterable<Value>): readonly Node[] {
    const dependent = new Set(roots);
    const taken: Node[] = [];
    for (const node of this.nodes.splice(from)) {
      if (node.inputs.some(v => dependent.has(v))) {
        taken.push(node);
        for (const v of node.outputs) dependent.add(v);
      } else this.nodes.push(node);
    }
    const gone = new Set(taken);
    for (const [key, node] of this.#interned) if (gone.has(node)) this.#interned.delete(key);
    return taken;
  }

  /** The next value gets this number, those after it the following ones: a graph that is read keeps its numbers. */
  numberFrom(id: number): void {
    this.#nextId = id;
  }

  output(output: Output): void {
    this.outputs.push(output);
  }

  build(): Graph {
    return { name: this.name, nodes: this.nodes, outputs: this.outputs };
  }

  #inputNode(role: InputNode['role'], name: string, type: TensorType, origin: Origin): InputNode {
    const outputs: Value[] = [];
    const node = { kind: 'input', role, name, inputs: [], outputs, origin } as unknown as InputNode;
    outputs.push(this.#value(type, node, 0));
    return node;
  }

  #value(type: TensorType, node: Node, index: number): Value {
    return { id: this.#nextId++, type, node, index };
  }
}

const attrNames = new WeakMap<Primitive, readonly string[]>();

/** In the order of the op's own list, whatever order they were given in. */
function attrsKey(op: Primitive, attrs: Attrs): string {
  let names = attrNames.get(op);
  if (!names) attrNames.set(op, (names = Object.keys(op.attrs)));
  let key = '';
  for (const name of names) {
    const attr = attrs[name];
    if (attr !== undefined) key += `,${name}=${attrKey(attr)}`;
  }
  return key;
}

function attrKey(attr: Attr): string {
  switch (typeof attr) {
    case 'string':
      return JSON.stringify(attr);
    case 'number':
      return Object.is(attr, -0) ? '-0' : String(attr);
    case 'boolean':
      return String(attr);
    default:
      return 'terms' in attr ? `<${attr.key}>` : `[${attr.map(attrKey).join()}]`;
  }
}

/** For messages: `%12: f32[N, 10] (LeNet.head)`. */
export function describe(value: Value): string {
  const path = value.node.origin.path;
  return `%${value.id}: ${printType(value.type)}${path ? ` (${path})` : ''}`;
}

export function spanOf(value: Value): Span | undefined {
  return value.node.origin.span;
}
