import { place } from '../../support/source.ts';
import type { Graph, InputNode, Node, Origin, Output, Value } from '../graph.ts';
import { graphInputs } from '../graph.ts';
import type { Attr, Attrs } from '../primitive.ts';
import { printType } from '../type.ts';

/**
 * A graph as flat text, one node a line, in the order of execution:
 *
 *     graph LeNet(
 *       %0 = input x : f32[N, 1, 28, 28]
 *       %1 = param "LeNet.conv.weight" : f32[6, 1, 5, 5]   // lenet.dnn:6:8
 *     ) {
 *       %2 = convolution(%0, %1, stride = [1, 1]) : f32[N, 6, 24, 24]   // LeNet.conv, lenet.dnn:6:8
 *       result y = %2
 *     }
 *
 * Never throws, so that a faulty graph can be shown too.
 */
export function printGraph(graph: Graph): string {
  const inputs = graphInputs(graph).map(printInput);
  const header = inputs.length === 0 ? '()' : `(\n${indent(inputs)}\n)`;
  const body = graph.nodes.filter(n => n.kind !== 'input').map(printNode);
  return `graph ${printName(graph.name)}${header} {\n${indent([...body, ...graph.outputs.map(printOutput)])}\n}`;
}

/** One node's line, without indentation. */
export function printNode(node: Node): string {
  switch (node.kind) {
    case 'input':
      return printInput(node);
    case 'op':
      return `${results(node)} = ${node.op.name}(${[...operands(node), ...attributes(node.attrs)].join(', ')})${suffix(node)}`;
    case 'loop':
      return `${results(node)} = loop(${[...operands(node), `steps = ${node.steps.key}`, `reverse = ${node.reverse}`].join(', ')})${suffix(node)} ${printGraph(node.body)}`;
  }
}

function printInput(node: InputNode): string {
  return `${results(node)} = ${node.role} ${printName(node.name)}${suffix(node, node.name)}`;
}

function printOutput(output: Output): string {
  const target = output.target === undefined ? '' : ` -> ${printName(output.target)}`;
  return `${output.role} ${printName(output.name)}${target} = ${reference(output.value)}`;
}

/** Bare where it is an identifier, else quoted: paths hold dots. */
export function printName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}

export function printAttr(attr: Attr): string {
  switch (typeof attr) {
    case 'string':
      return JSON.stringify(attr);
    case 'number':
      return Object.is(attr, -0) ? '-0' : String(attr);
    case 'boolean':
      return String(attr);
    default:
      return 'terms' in attr ? attr.key : `[${attr.map(printAttr).join(', ')}]`;
  }
}

function attributes(attrs: Attrs): string[] {
  return Object.entries(attrs).map(([name, attr]) => `${name} = ${printAttr(attr)}`);
}

const reference = (value: Value): string => `%${value.id}`;
const operands = (node: Node): string[] => node.inputs.map(reference);
const results = (node: Node): string => node.outputs.map(reference).join(', ');

/** Types and the comment on where the node came from; a path that is the node's own name is not said twice. */
function suffix(node: Node, name?: string): string {
  const types = node.outputs.map(v => printType(v.type)).join(', ');
  const comment = printOrigin(node.origin, name);
  return ` : ${types}${comment && `   // ${comment}`}`;
}

function printOrigin({ path, span }: Origin, name: string | undefined): string {
  return [...(path === undefined || path === name ? [] : [path]), ...(span ? [place(span)] : [])].join(', ');
}

function indent(lines: readonly string[]): string {
  return lines.map(line => line.replace(/^/gm, '  ')).join('\n');
}
