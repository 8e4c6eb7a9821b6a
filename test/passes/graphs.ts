import fc from 'fast-check';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Output, Value } from '../../src/ir/graph.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { ShapeError } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import { tensor } from '../../src/ir/type.ts';
import * as B from '../../src/ops/build.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { relu } from '../../src/ops/relu.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { stop } from '../../src/ops/stop.ts';
import { tanh } from '../../src/ops/tanh.ts';

export interface RandomGraph {
  readonly builder: GraphBuilder;
  /** Everything that was built, inputs first. */
  readonly values: readonly Value[];
  readonly inputs: readonly Value[];
  readonly arrays: Readonly<Record<string, NdArray>>;
  /** A scalar that depends on the last few values. */
  readonly loss: Value;
}

type Step = readonly [rule: number, x: number, y: number];
type Rule = (b: GraphBuilder, x: Value, y: Value) => Value;

const isMatrix = (v: Value) => v.type.shape.length === 2;

/** Rules without kinks or cuts, whose values stay small enough for finite differences. */
const smooth: readonly Rule[] = [
  (b, x, y) => B.add(b, x, y),
  (b, x, y) => B.sub(b, x, y),
  (b, x, y) => B.mul(b, b.emit(tanh, [x]), b.emit(sigmoid, [y])),
  (b, x, y) => B.div(b, x, B.add(b, B.mul(b, y, y), 1)),
  (b, x) => b.emit(tanh, [x]),
  (b, x) => B.sin(b, x),
  (b, x) => B.exp(b, b.emit(tanh, [x])),
  (b, x) => B.neg(b, x),
  (b, x) => B.mul(b, x, x),
  (b, x) => B.mul(b, x, 0.5),
  (b, x) => (x.type.shape.length > 0 ? B.reduceSum(b, x, [0]) : x),
  (b, x) => (x.type.shape.length > 0 ? B.reduceSum(b, x, [x.type.shape.length - 1], true) : x),
  (b, x) => (isMatrix(x) ? B.transpose(b, x, [1, 0]) : x),
  (b, x) => B.reshape(b, x, [D.product(x.type.shape)]),
  (b, x) => B.reshape(b, x, [1, ...x.type.shape]),
  (b, x, y) => (isMatrix(x) && isMatrix(y) ? b.emit(matmul, [x, B.transpose(b, y, [1, 0])]) : x),
];

/** Rules that simplifications look for: identities, doubled ops, constants in many shapes. */
const nasty: readonly Rule[] = [
  (b, x) => B.add(b, x, 0),
  (b, x) => B.mul(b, 1, x),
  (b, x) => B.neg(b, B.neg(b, x)),
  (b, x) => b.emit(relu, [b.emit(relu, [x])]),
  (b, x) => b.emit(stop, [x]),
  (b, x) => B.maximum(b, x, x),
  (b, x) => B.pow(b, x, 2),
  (b, x) => B.zerosLike(b, x),
  (b, x) => B.full(b, 0.1, x.type),
  (b, x) => B.add(b, B.full(b, 0.1, x.type), B.full(b, 0.7, x.type)),
  (b, x) => B.where(b, B.lt(b, x, 0.25), x, B.onesLike(b, x)),
  (b, x) => B.reduceSum(b, B.full(b, 0.3, tensor('f32', [2, 5])), 'all') && B.mul(b, x, 3),
  b => B.reduceSum(b, B.full(b, 0.3, tensor('f32', [2, 5])), [1]),
  (b, x) =>
    B.pad(
      b,
      x,
      x.type.shape.map(() => 1),
      x.type.shape.map(() => 0),
    ),
];

function build(
  steps: readonly Step[],
  rules: readonly Rule[],
  data: readonly number[],
  n: number,
): RandomGraph {
  const b = new GraphBuilder('Random');
  const N = D.symbol('N');
  const inputs = [
    b.input('input', 'a', tensor('f32', [N, 3])),
    b.input('param', 'w', tensor('f32', [2, 3])),
    b.input('param', 'net.bias', tensor('f32', [3])),
    b.input('scalar', 's', tensor('f32', [])),
  ];
  const values = [...inputs];
  for (const [rule, x, y] of steps)
    try {
      values.push(rules[rule % rules.length]!(b, values[x % values.length]!, values[y % values.length]!));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error; // shapes that do not go together
    }
  const loss = values
    .slice(-3)
    .map(v => B.reduceSum(b, b.emit(tanh, [v])))
    .reduce((x, y) => B.add(b, x, y));
  let next = 0;
  const arrays = Object.fromEntries(
    inputs.map(v => {
      const shape = v.type.shape.map(d => D.evaluate(d, { N: n }));
      const name = v.node.kind === 'input' ? v.node.name : '';
      return [
        name,
        ndarray(
          'f32',
          shape,
          Array.from({ length: size(shape) }, () => data[next++ % data.length]!),
        ),
      ];
    }),
  );
  // What fast-check shows of a counterexample.
  const shown = { [fc.toStringMethod]: () => `${printGraph(b.build())} with N = ${n}` };
  return { builder: b, values, inputs, arrays, loss, ...shown };
}

export function randomGraph(kind: 'smooth' | 'any'): fc.Arbitrary<RandomGraph> {
  const rules = kind === 'smooth' ? smooth : [...smooth, ...nasty];
  const step = fc.tuple(fc.nat(rules.length - 1), fc.nat(40), fc.nat(40));
  const element = fc.integer({ min: -1000, max: 1000 }).map(k => Math.fround(k / 617));
  return fc
    .tuple(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.array(element, { minLength: 17, maxLength: 29 }),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(([steps, data, n]) => build(steps, rules, data, n));
}

/** The graph with the loss and the last values as outputs. The builder is left as it is: fast-check may use it again. */
export function finish({ builder, loss, values }: RandomGraph, extra: readonly Value[] = []): Graph {
  const results = [...values.slice(-2), ...extra];
  return {
    name: builder.name,
    nodes: [...builder.nodes],
    outputs: [
      { name: 'loss', role: 'metric', value: loss },
      ...results.map((value, i): Output => ({ name: `y${i}`, role: 'result', value })),
    ],
  };
}
