import * as A from '../../ir/affine.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Graph, LoopNode, Value } from '../../ir/graph.ts';
import type { Attrs, Primitive } from '../../ir/primitive.ts';
import type { TensorType } from '../../ir/type.ts';
import { InternalError } from '../../support/internal-error.ts';

/** The state that counts a loop's turns. */
export const turnName = 'turn number';

export const turnType: TensorType = { dtype: 'i32', shape: [] };

/**
 * A turn of a loop as a graph of its own. What `LoopNode` says in words is spelled out: the number of the turn is a
 * state, slices are read from their stacks at that number, and results are written into theirs.
 */
export function turnGraph({ body, steps, reverse, origin }: LoopNode): Graph {
  const b = new GraphBuilder(body.name);
  const turn = b.input('state', turnName, turnType);
  const values = new Map<Value, Value>();
  for (const node of body.nodes) {
    b.origin = node.origin;
    const inputs = node.inputs.map(v => values.get(v)!);
    const results =
      node.kind === 'op'
        ? b.emitAll(node.op, inputs, node.attrs)
        : node.kind === 'loop'
          ? b.loop(node, inputs)
          : [enter(b, node.role, node.name, node.outputs[0].type)];
    node.outputs.forEach((v, i) => {
      values.set(v, results[i]!);
    });
  }
  function enter(b: GraphBuilder, role: 'input' | string, name: string, type: TensorType): Value {
    if (role === 'state') return b.input('state', name, type);
    if (role !== 'data') return b.input('input', name, type);
    const stack = b.input('input', name, { dtype: type.dtype, shape: [steps, ...type.shape] });
    return b.emit(takeTurn, [stack, turn], { reverse });
  }
  for (const output of body.outputs) {
    b.origin = output.value.node.origin;
    const value = values.get(output.value)!;
    b.output({
      ...output,
      value:
        output.role === 'result'
          ? b.emit(putTurn, [value, turn], { stack: output.name, steps, reverse })
          : value,
    });
  }
  b.origin = origin;
  b.output({ name: turnName, role: 'update', target: turnName, value: b.emit(nextTurn, [turn]) });
  return b.build();
}

/** These ops are made here alone, of graphs that only fusing sees; so they have no reference and no gradient. */
const noReference = (): never => {
  throw new InternalError('a turn of a loop is computed by its loop');
};

/** turn = turn + 1 */
const nextTurn: Primitive = {
  name: 'next_turn',
  kind: 'elementwise',
  inputs: ['turn'],
  attrs: {},
  doc: 'The number of the turn after this one.',
  example: 'turn = next_turn(turn)',
  infer: () => [turnType],
  reference: noReference,
  lower: (types, _, [out]) => {
    const value = E.binary('add', E.load(0, turnType, []), E.constant(1, turnType.dtype));
    return { inputs: types, axes: [], outs: [{ type: out!, value }] };
  },
};

/** The place of a turn along the leading axis, which no fault can bring out of range. */
function place(turn: TensorType, steps: Dim, attrs: Attrs): Index {
  const number = A.value(E.load(1, turn, []));
  const last = A.sub(steps, 1);
  const at = attrs.reverse === true ? A.sub(last, number) : number;
  return A.min(A.max(at, 0), last);
}

const ends = { reverse: { type: 'bool', doc: 'the first turn is the last place' } } as const;

/** out = stack[turn] */
const takeTurn: Primitive = {
  name: 'take_turn',
  kind: 'view',
  inputs: ['stack', 'turn'],
  attrs: ends,
  doc: 'The slice of a stack that belongs to a turn.',
  example: 'x = take_turn(stack, turn, reverse = false)',
  infer: ([stack]) => [{ dtype: stack!.dtype, shape: stack!.shape.slice(1) }],
  reference: noReference,
  lower: (types, attrs, [out]) => {
    const [stack, turn] = types as [TensorType, TensorType];
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = [place(turn, stack.shape[0]!, attrs), ...axes.map(A.index)];
    return { inputs: types, axes, outs: [{ type: out!, value: E.load(0, stack, at) }] };
  },
};

/** stack[turn] = value; the rest of the stack stays. */
const putTurn: Primitive = {
  name: 'put_turn',
  kind: 'view',
  inputs: ['value', 'turn'],
  attrs: {
    ...ends,
    stack: { type: 'string', doc: 'its name: stacks of one value are two' },
    steps: { type: 'dim', doc: 'turns of the loop' },
  },
  doc: 'Writes what a turn yields into its stack.',
  example: 'stack = put_turn(value, turn, stack = "yield out", steps = T, reverse = false)',
  infer: ([value], attrs) => [{ dtype: value!.dtype, shape: [attrs.steps as Dim, ...value!.shape] }],
  reference: noReference,
  lower: (types, attrs, [out]) => {
    const [value, turn] = types as [TensorType, TensorType];
    const axes = value.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = axes.map(A.index);
    const stored = {
      type: out!,
      value: E.load(0, value, at),
      at: [place(turn, D.dim(attrs.steps as Dim), attrs), ...at],
    };
    return { inputs: types, axes, outs: [{ ...stored, partial: true }] };
  },
};
