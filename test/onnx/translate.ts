import { Untranslated } from '../torch/attrs.ts';
import type { NodeCase } from './case.ts';
import { type Attribute, Node, readAttribute } from './node.ts';
import type { GraphProto, NodeProto } from './proto.ts';
import { rules } from './rules/index.ts';
import { dtypeOf, elementOf, readTensor } from './tensor.ts';
import { type Value, Writer } from './writer.ts';

export interface Translated {
  readonly text: string;
  readonly inputs: ReturnType<Writer['inputs']>;
}

/** Writes one node and gives its outputs. */
export function writeNode(
  writer: Writer,
  node: {
    readonly op: string;
    readonly opset: number;
    readonly inputs: readonly (Value | undefined)[];
    readonly outputs: readonly boolean[];
    readonly attributes: ReadonlyMap<string, Attribute>;
  },
): readonly (Value | undefined)[] {
  const rule = rules[node.op];
  if (!rule) throw new Untranslated(`the operator ${node.op}`);
  const view = new Node({ ...node, writer });
  const made = rule(view);
  view.done();
  const results = typeof made === 'string' || 'text' in made ? [made] : made;
  if (node.outputs.some((used, i) => used && results[i] === undefined))
    throw new Untranslated(`${node.op} with output ${results.length}`);
  return results.map((r, i) => {
    if (!node.outputs[i]) return undefined;
    const { text, element, constant } =
      typeof r === 'string'
        ? { text: r, element: (node.inputs[0] as Value).element, constant: undefined }
        : r;
    const value = writer.value(/^[a-z]\w*$/.test(text) ? text : writer.assign(text), element);
    return constant ? Object.create(value, { constant: { value: () => constant } }) : value;
  });
}

/** Writes the nodes of a graph; `values` has what they name. */
export function writeGraph(
  writer: Writer,
  graph: GraphProto,
  values: Map<string, Value>,
  opset: (domain: string) => number,
): void {
  for (const proto of graph.initializer) values.set(proto.name, writer.feed(readTensor(proto)));
  for (const node of graph.node) {
    const results = oneNode(writer, node, values, opset);
    node.output.forEach((name, i) => {
      if (name && results[i]) values.set(name, results[i]!);
    });
  }
}

function oneNode(
  writer: Writer,
  node: NodeProto,
  values: Map<string, Value>,
  opset: (domain: string) => number,
): readonly (Value | undefined)[] {
  const inputs = node.input.map(name => {
    if (!name) return undefined;
    const found = values.get(name);
    if (!found) throw new Untranslated(`nothing is called ${name}`);
    return found;
  });
  const attributes = new Map(node.attribute.map(a => [a.name, readAttribute(a)]));
  const version = opset(node.domain);
  if (node.op_type === 'If') return branch(writer, inputs, attributes, values, opset);
  return writeNode(writer, {
    op: node.op_type,
    opset: version,
    inputs,
    outputs: node.output.map(name => name !== ''),
    attributes,
  });
}

/** `If` on what is known at compile time is the branch that is taken. */
function branch(
  writer: Writer,
  inputs: readonly (Value | undefined)[],
  attributes: ReadonlyMap<string, Attribute>,
  values: Map<string, Value>,
  opset: (domain: string) => number,
): readonly (Value | undefined)[] {
  const taken = inputs[0]!.constant()[0] ? 'then_branch' : 'else_branch';
  const graph = attributes.get(taken) as GraphProto;
  const inner = new Map(values);
  writeGraph(writer, graph, inner, opset);
  return graph.output.map(o => inner.get(o.name)!);
}

/** A model as a net `Case` whose results are y0, y1, …; throws `Untranslated` where it cannot be said. */
export function translate(test: NodeCase): Translated {
  const { graph, opset_import } = test.model;
  for (const { name, type } of [...graph.input, ...graph.output]) {
    if (!type?.tensor_type) throw new Untranslated(`${name}, which is no tensor`);
    dtypeOf(elementOf(type.tensor_type.elem_type));
  }
  const writer = new Writer();
  const values = new Map<string, Value>();
  const given = test.inputs();
  const known = new Set(graph.initializer.map(t => t.name));
  const fed = graph.input.filter(i => !known.has(i.name));
  fed.forEach((input, i) => {
    if (given[i]) values.set(input.name, writer.feed(given[i]));
  });
  const opset = (domain: string) =>
    opset_import.find(o => (o.domain || 'ai.onnx') === (domain || 'ai.onnx'))?.version ?? 1;
  writeGraph(writer, graph, values, opset);
  const results = graph.output.map(o => values.get(o.name)!);
  return { text: writer.source(results), inputs: writer.inputs() };
}
