import { place } from '../../support/source.ts';
import type { Graph, Node, Output, Value } from '../graph.ts';
import { graphInputs } from '../graph.ts';
import type { Attr, Attrs } from '../primitive.ts';
import { printType } from '../type.ts';

export interface PrintOptions {
  /** False leaves out where nodes come from: paths and places. */
  readonly origins?: boolean;
}

/**
 * A graph as flat text, one node a line, in the order of execution; `parse/graph.ts` reads it back:
 *
 *     graph LeNet(
 *       %0 = input x : f32[N, 1, 28, 28]
 *       %1 = param "LeNet.conv.weight" : f32[6, 1, 5, 5]   // lenet.dnn:6:8
 *     ) {
 *       %2 = convolution(%0, %1, stride = [1, 1]) : f32[N, 6, 24, 24] at "LeNet.conv"   // lenet.dnn:6:8
 *       result y = %2
 *     }
 *
 * The body of a loop, `%5 = loop body(%3, …)`, stands below its node, indented, as a graph of its own. Never throws,
 * so that a faulty graph can be shown too.
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const inputs = graphInputs(graph).map(n => printNode(n, options));
  const header = inputs.length === 0 ? '()' : `(\n${indent(inputs)}\n)`;
  const body = graph.nodes.filter(n => n.kind !== 'input').map(n => printNode(n, options));
  return `graph ${printName(graph.name)}${header} {\n${indent([...body, ...graph.outputs.map(printOutput)])}\n}`;
}

/** One node, without indentation: a line, and the body of a loop. */
export function printNode(node: Node, options: PrintOptions = {}): string {
  const line = `${results(node)} = ${printWork(node)} : ${node.outputs.map(v => printType(v.type)).join(', ')}`;
  const head = options.origins === false ? line : line + printOrigin(node);
  return node.kind === 'loop' ? `${head}\n${indent([printGraph(node.body, options)])}` : head;
}

function printWork(node: Node): string {
  switch (node.kind) {
    case 'input':
      return `${node.role} ${printName(node.name)}`;
    case 'op':
      return `${node.op.name}(${[...operands(node), ...attributes(node.attrs)].join(', ')})`;
    case 'loop': {
      const { body, steps, reverse } = node;
      const parts = [...operands(node), ...attributes({ steps, reverse })];
      return `loop ${printName(body.name)}(${parts.join(', ')})`;
    }
  }
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

/** The path, and the place as a comment. An input whose path is its name does not say it twice. */
function printOrigin(node: Node): string {
  const { path, span } = node.origin;
  const isName = node.kind === 'input' && path === node.name;
  const at = path === undefined || isName ? '' : ` at ${JSON.stringify(path)}`;
  return span ? `${at}   // ${place(span)}` : at;
}

function indent(lines: readonly string[]): string {
  return lines.map(line => line.replace(/^/gm, '  ')).join('\n');
}
