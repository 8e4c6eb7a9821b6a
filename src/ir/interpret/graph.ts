import type { Dim, DimEnv } from '../dim.ts';
import * as D from '../dim.ts';
import type { Graph, InputNode, LoopNode, Value } from '../graph.ts';
import { graphInputs } from '../graph.ts';
import { concreteShape, size, zeros } from '../ndarray.ts';
import type { Attr, Attrs, NdArray } from '../primitive.ts';
import { normalise, type Precision } from '../scalar.ts';
import type { TensorType } from '../type.ts';
import { isFloat, printType } from '../type.ts';

export interface InterpretOptions {
  /** Values of the free dims; those that are missing are found from the shapes of the inputs. */
  readonly dims?: DimEnv;
  readonly precision?: Precision;
  /** Keep every intermediate array in `values`; otherwise each is dropped after its last use. */
  readonly keep?: boolean;
}

export interface Interpretation {
  /** By output name. */
  readonly outputs: Map<string, NdArray>;
  /** By value id. */
  readonly values: Map<number, NdArray>;
}

/**
 * Runs a graph through the ops' references: the living definition of what a graph means. Throws on a missing or
 * misshapen input, and on macros, which a pass expands before.
 */
export function interpretGraph(
  graph: Graph,
  inputs: Readonly<Record<string, NdArray>>,
  options: InterpretOptions = {},
): Interpretation {
  const precision = options.precision ?? 'f64';
  const dims = { ...inferDims(graph, inputs, options.dims ?? {}) };
  const values = new Map<number, NdArray>();
  const remaining = useCounts(graph);
  const release = (used: readonly Value[]) => {
    if (options.keep) return;
    for (const { id } of used) {
      const left = (remaining.get(id) ?? 0) - 1;
      remaining.set(id, left);
      if (left <= 0) values.delete(id);
    }
  };
  for (const node of graph.nodes) {
    switch (node.kind) {
      case 'input':
        values.set(node.outputs[0].id, takeInput(node, inputs, dims, precision));
        break;
      case 'loop': {
        const read = node.inputs.map(v => valueIn(v, values));
        runLoop(node, read, dims, precision).forEach((array, i) => {
          values.set(node.outputs[i]!.id, array);
        });
        release(node.inputs);
        break;
      }
      case 'op': {
        const outs = node.outputs.map(v => fixType(v.type, dims));
        const read = node.inputs.map(v => valueIn(v, values));
        const results = node.op.reference(read, fixAttrs(node.attrs, dims), outs, precision);
        node.outputs.forEach((v, i) => {
          values.set(v.id, results[i]!);
        });
        release(node.inputs);
      }
    }
    if (!options.keep) for (const v of node.outputs) if (!remaining.get(v.id)) values.delete(v.id);
  }
  const outputs = new Map(graph.outputs.map(o => [o.name, valueIn(o.value, values)]));
  return { outputs, values };
}

/** Turn after turn; `inputs` and the result as in `LoopNode`. */
function runLoop(
  { body, steps, reverse, outputs }: LoopNode,
  inputs: readonly NdArray[],
  dims: DimEnv,
  precision: Precision,
): NdArray[] {
  const entering = graphInputs(body).map((inner, i) => ({ inner, array: inputs[i]! }));
  const states = new Map(
    entering.flatMap(({ inner, array }) => (inner.role === 'state' ? [[inner.name, array]] : [])),
  );
  const results = body.outputs.filter(o => o.role === 'result');
  const stacks = outputs
    .slice(states.size)
    .map(({ type }) => zeros(type.dtype, concreteShape(fixType(type, dims))));
  const count = D.evaluate(steps, dims);
  for (let turn = 0; turn < count; turn++) {
    const at = reverse ? count - 1 - turn : turn;
    const given = entering.map(({ inner, array }): [string, NdArray] => [
      inner.name,
      inner.role === 'state' ? states.get(inner.name)! : inner.role === 'data' ? sliceOf(array, at) : array,
    ]);
    const made = interpretGraph(body, Object.fromEntries(given), { dims, precision }).outputs;
    for (const { role, target, name } of body.outputs)
      if (role === 'update') states.set(target!, made.get(name)!);
    results.forEach(({ name }, i) => {
      sliceOf(stacks[i]!, at).data.set(made.get(name)!.data);
    });
  }
  return [...states.values(), ...stacks];
}

/** Element `at` along the leading axis, in the same memory. */
function sliceOf({ dtype, shape, data }: NdArray, at: number): NdArray {
  const inner = shape.slice(1);
  const length = size(inner);
  return { dtype, shape: inner, data: data.subarray(at * length, (at + 1) * length) };
}

function valueIn(value: Value, values: ReadonlyMap<number, NdArray>): NdArray {
  const array = values.get(value.id);
  if (!array) throw new Error(`%${value.id}: ${printType(value.type)} is used before it is computed`);
  return array;
}

/** Graph outputs count as a use that never ends. */
function useCounts(graph: Graph): Map<number, number> {
  const counts = new Map<number, number>();
  const use = (v: Value) => counts.set(v.id, (counts.get(v.id) ?? 0) + 1);
  for (const node of graph.nodes) for (const v of node.inputs) use(v);
  for (const output of graph.outputs) use(output.value);
  return counts;
}

function takeInput(
  node: InputNode,
  inputs: Readonly<Record<string, NdArray>>,
  dims: DimEnv,
  precision: Precision,
): NdArray {
  const array = inputs[node.name]!;
  const wanted = node.outputs[0].type.shape.map(d => D.evaluate(d, dims));
  if (array.shape.length !== wanted.length || wanted.some((n, i) => n !== array.shape[i]))
    throw new Error(
      `input ${node.name} has shape [${array.shape.join(', ')}], expected [${wanted.join(', ')}]`,
    );
  if (precision === 'f64' || !isFloat(array.dtype)) return array;
  return { ...array, data: array.data.map(x => normalise(x, array.dtype, precision)) };
}

/**
 * The free dims of a graph from the shapes of its inputs: every dim that is linear in one unknown is solved,
 * until nothing is left. Throws on a missing input and a wrong rank or dtype.
 */
export function inferDims(
  graph: Graph,
  inputs: Readonly<Record<string, NdArray>>,
  known: DimEnv = {},
): DimEnv {
  const env: Record<string, number> = { ...known };
  const open: { dim: Dim; size: number }[] = [];
  for (const node of graphInputs(graph)) {
    const { type } = node.outputs[0];
    const array = inputs[node.name];
    if (!array) throw new Error(`missing input ${node.name}: ${printType(type)}`);
    const given = `${array.dtype}[${array.shape.join(', ')}]`;
    if (array.dtype !== type.dtype || array.shape.length !== type.shape.length)
      throw new Error(`input ${node.name} is ${given}, expected ${printType(type)}`);
    type.shape.forEach((dim, i) => {
      open.push({ dim, size: array.shape[i]! });
    });
  }
  for (let progress = true; progress; ) {
    progress = false;
    for (const { dim, size } of open) {
      const unknown = [...D.symbols(dim)].filter(s => env[s] === undefined);
      if (unknown.length !== 1) continue;
      const solution = solve(dim, unknown[0]!, size, env);
      if (solution === undefined) continue;
      env[unknown[0]!] = solution;
      progress = true;
    }
  }
  return env;
}

/** The one value of `name` for which dim = size, if dim is linear in it. */
function solve(dim: Dim, name: string, size: number, env: DimEnv): number | undefined {
  let slope = 0;
  let rest = 0;
  for (const term of dim.terms) {
    const alone: Dim = { key: '', terms: [term] };
    if (!D.symbols(alone).has(name)) {
      rest += D.evaluate(alone, env);
      continue;
    }
    const powers = term.atoms.filter(a => a.key === name).length;
    const others: Dim = { key: '', terms: [{ ...term, atoms: term.atoms.filter(a => a.key !== name) }] };
    if (powers !== 1 || D.symbols(others).has(name)) return undefined;
    slope += D.evaluate(others, env);
  }
  const value = (size - rest) / slope;
  return Number.isInteger(value) ? value : undefined;
}

/** The type with every dim replaced by its value. */
export function fixType(type: TensorType, dims: DimEnv): TensorType {
  return { dtype: type.dtype, shape: type.shape.map(d => D.constant(D.evaluate(d, dims))) };
}

/** Attributes with every dim replaced by its value. */
export function fixAttrs(attrs: Attrs, dims: DimEnv): Attrs {
  return Object.fromEntries(Object.entries(attrs).map(([name, attr]) => [name, fixAttr(attr, dims)]));
}

function fixAttr(attr: Attr, dims: DimEnv): Attr {
  if (typeof attr !== 'object') return attr;
  if (isDim(attr)) return D.constant(D.evaluate(attr, dims));
  return attr.map(a => fixAttr(a, dims));
}

function isDim(attr: Dim | readonly Attr[]): attr is Dim {
  return !Array.isArray(attr);
}
