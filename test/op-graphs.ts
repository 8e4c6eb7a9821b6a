import { GraphBuilder } from '../src/ir/builder.ts';
import type { OpNode, Value } from '../src/ir/graph.ts';
import type { Primitive, Sample } from '../src/ir/primitive.ts';
import { isFloat, tensor } from '../src/ir/type.ts';
import { primitive } from '../src/ops/list.ts';
import { NotDifferentiable, reverse } from './arbitrary/reverse.ts';

/** Graphs of one op and of its gradients, which the tests of the ops and the page about them are made from. */

/** The op on graph inputs x0, x1, ... of the sample's types. */
export function graphOf(op: Primitive, sample: Sample) {
  const b = new GraphBuilder(op.name);
  const inputs = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
  const outputs = b.emitAll(op, inputs, sample.attrs);
  return { b, inputs, outputs, node: outputs[0]!.node as OpNode };
}

/** Whether there is a gradient to speak of: rules are asked only where a float cotangent arrives. */
export function hasGradient(op: Primitive, sample: Sample): boolean {
  if (!sample.inputs.some(x => isFloat(x.dtype))) return false;
  return graphOf(op, sample).outputs.some(v => isFloat(v.type.dtype));
}

/** The graph of one op and of its gradient with respect to every float input, from cotangents c0, c1, ... */
export function gradientGraph(op: Primitive, sample: Sample) {
  const { b, inputs, outputs, node } = graphOf(op, sample);
  const cts = outputs.map((v, i) => (isFloat(v.type.dtype) ? b.input('input', `c${i}`, v.type) : undefined));
  const wrt = inputs.map((v, i) => ({ v, i })).filter(({ v }) => isFloat(v.type.dtype));
  const gradients = op.vjp!(b, cts, inputs, outputs, node.attrs);
  outputs.forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  wrt.forEach(({ i }) => {
    const value = gradients[i];
    if (value) b.output({ name: `g${i}`, role: 'result', value });
  });
  return { b, inputs, outputs, node, cts, wrt, gradients };
}

/**
 * The gradients of that graph's gradients with respect to the op's inputs and the cotangents, from cotangents u0, u1,
 * ...; undefined where a rule on the way has no gradient itself.
 */
export function secondGradients({ b, cts, wrt, gradients }: ReturnType<typeof gradientGraph>) {
  const first = wrt.flatMap(({ i }) => (gradients[i] ? [{ i, value: gradients[i] }] : []));
  const weights = first.map(({ i, value }) => [value, b.input('input', `u${i}`, value.type)] as const);
  const sources: Value[] = [...wrt.map(({ v }) => v), ...cts.filter(ct => ct !== undefined)];
  try {
    return { first, weights, sources, second: reverse(b, weights, sources) };
  } catch (error) {
    if (error instanceof NotDifferentiable) return undefined;
    throw error;
  }
}

/** `stop` is the identity whose gradient is cut on purpose: the one op whose rule and value disagree. */
export const cutsGradients: readonly (Primitive | undefined)[] = [primitive('stop')];
