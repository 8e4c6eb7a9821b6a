import * as D from '../ir/dim.ts';
import type { Graph, OpNode, Value } from '../ir/graph.ts';
import { ndarray } from '../ir/ndarray.ts';
import type { Attr, NdArray } from '../ir/primitive.ts';
import { normalise } from '../ir/scalar.ts';
import type { TensorType } from '../ir/type.ts';
import { elementCount } from '../ir/type.ts';
import { constantOf, full } from '../ops/build.ts';
import { hasInnerTargets } from './differentiate.ts';
import { dropUnused } from './eliminate.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

/** Tensors of at most so many elements are computed whole, to see whether the result is one number again. */
const sizeLimit = 4096;

/**
 * Computes nodes whose inputs are known: each one number, perhaps repeated. Where the results are of that kind too,
 * they become a `constant` repeated to their shape. Values are rounded as on the device (f32); a result that is not
 * finite is left to it, as no shader can spell it.
 *
 * A graph with gradients with respect to inner values is left as it is (see `hasInnerTargets`).
 */
export function foldGraph(graph: Graph): Graph {
  if (hasInnerTargets(graph)) return graph;
  const folded = rewriteGraph(graph, {
    replace: (builder, node, inputs) => {
      const numbers = foldNode(node, inputs);
      return numbers && node.outputs.map((v, i) => full(builder, numbers[i]!, v.type));
    },
  });
  return dropUnused(folded);
}

/** The number that all elements of an output are, for each output; undefined where that is not so or not known. */
function foldNode(node: OpNode, inputs: readonly Value[]): readonly number[] | undefined {
  if (node.op.kind === 'macro' || inputs.length === 0) return undefined;
  const numbers: number[] = [];
  for (const input of inputs) {
    const number = constantOf(input);
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  const results =
    node.op.kind === 'elementwise'
      ? foldPoint(node, numbers)
      : (foldView(node, numbers) ?? foldWhole(node, numbers));
  return results?.every(Number.isFinite) ? results : undefined;
}

/** Elementwise: one element stands for all, whatever the shape. */
function foldPoint(node: OpNode, numbers: readonly number[]): readonly number[] {
  const point = ({ dtype }: TensorType): TensorType => ({ dtype, shape: [] });
  const arrays = numbers.map((x, i) => repeat(x, point(node.inputs[i]!.type)));
  const results = node.op.reference(
    arrays,
    node.attrs,
    node.outputs.map(v => point(v.type)),
    'f32',
  );
  return results.map(r => r.data[0]!);
}

/** Any op on small tensors of known sizes: all elements are computed and compared. */
function foldWhole(node: OpNode, numbers: readonly number[]): readonly number[] | undefined {
  const types = [...node.inputs, ...node.outputs].map(v => v.type);
  const isSmall = types.every(
    t => (D.constantValue(elementCount(t)) ?? Number.POSITIVE_INFINITY) <= sizeLimit,
  );
  const isKnown = types.every(t => t.shape.every(isNumber)) && Object.values(node.attrs).every(isNumber);
  if (!isSmall || !isKnown) return undefined;
  const arrays = numbers.map((x, i) => repeat(x, node.inputs[i]!.type));
  const results = node.op.reference(
    arrays,
    node.attrs,
    node.outputs.map(v => v.type),
    'f32',
  );
  const isUniform = ({ data }: NdArray) => data.length > 0 && data.every(x => Object.is(x, data[0]));
  return results.every(isUniform) ? results.map(r => r.data[0]!) : undefined;
}

/** An op that only moves the elements of one tensor, of any size: nothing is computed and nothing filled in. */
function foldView(node: OpNode, numbers: readonly number[]): readonly number[] | undefined {
  const { op, inputs, outputs, attrs } = node;
  if (op.kind !== 'view' || inputs.length !== 1) return undefined;
  const outs = outputs.map(v => v.type);
  const lowered = op.lower?.(
    inputs.map(v => v.type),
    attrs,
    outs,
  );
  const moves =
    lowered && !lowered.reduce && lowered.outs.every(o => o.value.kind === 'load' && !o.value.guard);
  return moves ? outs.map(() => numbers[0]!) : undefined;
}

/** As the device holds it: a constant is rounded before anything is computed with it. */
function repeat(x: number, type: TensorType): NdArray {
  const shape = type.shape.map(d => D.evaluate(d));
  const element = normalise(x, type.dtype, 'f32');
  return ndarray(type.dtype, shape, new Array<number>(D.evaluate(elementCount(type))).fill(element));
}

/** Without free dims. */
function isNumber(attr: Attr): boolean {
  if (typeof attr !== 'object') return true;
  return 'terms' in attr ? D.symbols(attr).size === 0 : attr.every(isNumber);
}

export const fold: Pass<Graph> = {
  name: 'fold',
  doc: 'computes what depends on constants alone',
  run: foldGraph,
};
