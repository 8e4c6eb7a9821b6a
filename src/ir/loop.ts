import type { Dim } from './dim.ts';
import type { Graph, InputNode, LoopNode, Output, Value } from './graph.ts';
import { graphInputs } from './graph.ts';
import type { TensorType } from './type.ts';
import { printType, sameType } from './type.ts';

/** What a loop's inputs and outputs are, by the roles of its body's. */
export interface LoopParts {
  readonly consts: readonly { readonly inner: InputNode; readonly value: Value }[];
  readonly carries: readonly Carry[];
  readonly slices: readonly { readonly inner: InputNode; readonly stack: Value }[];
  readonly yields: readonly Yield[];
}

/** A value handed from turn to turn. */
export interface Carry {
  readonly inner: InputNode;
  /** Before the first turn. */
  readonly initial: Value;
  /** What a turn leaves, in the body. */
  readonly update: Output;
  /** After the last turn. */
  readonly final: Value;
}

export interface Yield {
  readonly output: Output;
  /** All turns' values along a new leading axis. */
  readonly stack: Value;
}

export function loopParts(loop: LoopNode): LoopParts {
  const pairs = graphInputs(loop.body).map((inner, i) => ({ inner, value: loop.inputs[i]! }));
  const of = (role: InputNode['role']) => pairs.filter(p => p.inner.role === role);
  const states = of('state');
  const updates = new Map(loop.body.outputs.map(o => [o.target, o]));
  const results = loop.body.outputs.filter(o => o.role === 'result');
  return {
    consts: of('input'),
    slices: of('data').map(({ inner, value }) => ({ inner, stack: value })),
    carries: states.map(({ inner, value }, i) => ({
      inner,
      initial: value,
      update: updates.get(inner.name)!,
      final: loop.outputs[i]!,
    })),
    yields: results.map((output, i) => ({ output, stack: loop.outputs[states.length + i]! })),
  };
}

/** Types of a loop's outputs: its states, then what it stacks. */
export function loopTypes(body: Graph, steps: Dim): TensorType[] {
  const states = graphInputs(body).filter(n => n.role === 'state');
  const results = body.outputs.filter(o => o.role === 'result');
  return [
    ...states.map(n => n.outputs[0].type),
    ...results.map(o => ({ ...o.value.type, shape: [steps, ...o.value.type.shape] })),
  ];
}

/** What is wrong with the body and the inputs of a loop, one sentence each. */
export function loopInputProblems(body: Graph, steps: Dim, inputs: readonly Value[]): string[] {
  const inner = graphInputs(body);
  if (inner.length !== inputs.length) return [`${inputs.length} inputs, the body has ${inner.length}`];
  return inner.flatMap(({ role, name, outputs: [value] }, i) => {
    const { dtype, shape } = value.type;
    const expected = role === 'data' ? { dtype, shape: [steps, ...shape] } : value.type;
    const given = inputs[i]!.type;
    return [
      ...(isEntering(role) ? [] : [`the body's input ${name} has the role ${role}`]),
      ...(sameType(given, expected)
        ? []
        : [`input ${name} is ${printType(given)}, expected ${printType(expected)}`]),
      ...(role !== 'state' || body.outputs.some(o => o.role === 'update' && o.target === name)
        ? []
        : [`the state ${name} has no update`]),
    ];
  });
}

const isEntering = (role: InputNode['role']): boolean =>
  role === 'input' || role === 'data' || role === 'state';
