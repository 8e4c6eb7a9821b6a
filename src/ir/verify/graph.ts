import type { Graph, LoopNode, Node, OpNode, Value } from '../graph.ts';
import { loopInputProblems, loopTypes } from '../loop.ts';
import type { Attr, Attrs } from '../primitive.ts';
import { withDefaults } from '../primitive.ts';
import { printType, sameType } from '../type.ts';

/**
 * What is wrong with a graph, one sentence each; empty where nothing is. Types are checked by inferring them anew,
 * attributes by preparing them anew.
 *
 * An `update` needs its param or state among the inputs, of the same type. A graph that reads none at all is an
 * initialiser: its targets are inputs of other graphs.
 */
export function verifyGraph(graph: Graph): string[] {
  const problems: string[] = [];
  const defined = new Map<number, Value>();
  const seen = new Set<Node>();
  const use = (value: Value, by: string | { toString(): string }) => {
    const known = defined.get(value.id);
    if (known === value) return;
    problems.push(
      `${by} uses %${value.id}, ${known ? 'but that id belongs to another value' : 'which is not defined before it'}`,
    );
  };
  for (const node of graph.nodes) {
    // Asked for where something is wrong, which is nearly never.
    const name = { toString: () => nameOf(node) };
    if (seen.has(node)) problems.push(`${name} stands in the graph twice`);
    seen.add(node);
    for (const value of node.inputs) use(value, name);
    node.outputs.forEach((value, i) => {
      if (value.node !== node || value.index !== i)
        problems.push(`%${value.id} does not know that it is output ${i} of ${name}`);
      if (defined.has(value.id)) problems.push(`%${value.id} is defined twice, the second time by ${name}`);
      else defined.set(value.id, value);
    });
    if (node.kind === 'op') problems.push(...verifyOp(node).map(text => `${name}: ${text}`));
    if (node.kind === 'loop') problems.push(...verifyLoop(node).map(text => `${name}: ${text}`));
  }
  problems.push(...verifyInputs(graph), ...verifyOutputs(graph, use));
  return problems;
}

function nameOf(node: Node): string {
  const what =
    node.kind === 'op' ? `\`${node.op.name}\`` : node.kind === 'input' ? `input ${node.name}` : 'loop';
  const results = node.outputs.map(v => `%${v.id}`).join(', ');
  return results === '' ? what : `${results} = ${what}`;
}

function verifyOp(node: OpNode): string[] {
  const { op, attrs } = node;
  const problems: string[] = [];
  for (const name of Object.keys(attrs))
    if (!(name in op.attrs)) problems.push(`there is no attribute \`${name}\``);
  const types = node.inputs.map(v => v.type);
  try {
    const full = withDefaults(op, attrs);
    if (!sameAttrs(op.prepare ? op.prepare(types, full) : full, attrs))
      problems.push('its attributes are not in canonical form');
    const inferred = op.infer(types, attrs);
    if (inferred.length !== node.outputs.length)
      problems.push(`has ${node.outputs.length} outputs, the shape rule gives ${inferred.length}`);
    inferred.forEach((type, i) => {
      const value = node.outputs[i];
      if (value && !sameType(type, value.type))
        problems.push(`%${value.id} is ${printType(value.type)}, the shape rule gives ${printType(type)}`);
    });
  } catch (error) {
    problems.push(`the shape rule rejects it: ${error instanceof Error ? error.message : String(error)}`);
  }
  return problems;
}

/** Its body is a graph of its own; its inputs and outputs fit the body's, as `LoopNode` says. */
function verifyLoop({ body, steps, inputs, outputs }: LoopNode): string[] {
  const problems = [...verifyGraph(body), ...loopInputProblems(body, steps, inputs)];
  loopTypes(body, steps).forEach((type, i) => {
    const found = outputs[i]?.type;
    if (!found || !sameType(found, type))
      problems.push(`output ${i} is ${found ? printType(found) : 'missing'}, expected ${printType(type)}`);
  });
  return problems;
}

function verifyInputs(graph: Graph): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (node.kind !== 'input') continue;
    if (names.has(node.name)) problems.push(`two inputs are called ${node.name}`);
    names.add(node.name);
    if (node.outputs.length !== 1)
      problems.push(`input ${node.name} has ${node.outputs.length} values instead of one`);
  }
  return problems;
}

function verifyOutputs(graph: Graph, use: (value: Value, by: string) => void): string[] {
  const problems: string[] = [];
  const stored = new Map(
    graph.nodes.flatMap(n =>
      n.kind === 'input' && (n.role === 'param' || n.role === 'state') ? [[n.name, n]] : [],
    ),
  );
  const names = new Set<string>();
  const targets = new Set<string>();
  for (const { name, role, value, target } of graph.outputs) {
    use(value, `output ${name}`);
    if (names.has(name)) problems.push(`two outputs are called ${name}`);
    names.add(name);
    if (role !== 'update') {
      if (target !== undefined) problems.push(`output ${name} is a ${role}, but has the target ${target}`);
      continue;
    }
    if (target === undefined) {
      problems.push(`update ${name} has no target`);
      continue;
    }
    if (targets.has(target)) problems.push(`two updates have the target ${target}`);
    targets.add(target);
    const type = stored.get(target)?.outputs[0].type;
    if (!type && stored.size > 0) problems.push(`update ${name}: there is no param or state ${target}`);
    if (type && !sameType(type, value.type))
      problems.push(
        `update ${name} is ${printType(value.type)}, but its target ${target} is ${printType(type)}`,
      );
  }
  return problems;
}

function sameAttrs(a: Attrs, b: Attrs): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every(n => b[n] !== undefined && sameAttr(a[n]!, b[n]))
  );
}

/** A number and a constant dim are different forms. */
function sameAttr(a: Attr, b: Attr): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  if ('terms' in a || 'terms' in b) return 'terms' in a && 'terms' in b && a.key === b.key;
  return a.length === b.length && a.every((x, i) => sameAttr(x, b[i]!));
}
