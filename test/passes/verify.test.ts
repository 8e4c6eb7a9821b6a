import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as A from '../../src/ir/affine.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Compute, Expr, Out, Reduce } from '../../src/ir/compute.ts';
import * as D from '../../src/ir/dim.ts';
import * as E from '../../src/ir/expr.ts';
import type { Graph, InputNode, Node, OpNode, Output } from '../../src/ir/graph.ts';
import { fixAttrs } from '../../src/ir/interpret/graph.ts';
import * as M from '../../src/ir/monoid.ts';
import { inRange } from '../../src/ir/predicate.ts';
import { withDefaults } from '../../src/ir/primitive.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyCompute } from '../../src/ir/verify/compute.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { primitives } from '../../src/ops/list.ts';
import { reduceSum } from '../../src/ops/reduce-sum.ts';
import { tanh } from '../../src/ops/tanh.ts';

const N = D.symbol('N');

describe('verifyGraph', () => {
  /** x -> tanh -> sum, and an update of w. */
  function sound(): Graph {
    const b = new GraphBuilder('Net');
    const x = b.input('input', 'x', tensor('f32', [N, 3]));
    const w = b.input('param', 'w', tensor('f32', [3]));
    const y = B.reduceSum(b, b.emit(tanh, [x]), [0]);
    b.output({ name: 'y', role: 'result', value: y });
    b.output({ name: 'w', role: 'update', target: 'w', value: B.add(b, w, y) });
    return b.build();
  }

  /** Changes one op node; its values stay the same objects. */
  function spoil(graph: Graph, name: string, change: Partial<OpNode>): Graph {
    const replace = (n: Node): Node => {
      if (n.kind !== 'op' || n.op.name !== name) return n;
      const node: OpNode = { ...n, ...change };
      for (const v of node.outputs) Object.assign(v, { node });
      return node;
    };
    return { ...graph, nodes: graph.nodes.map(replace) };
  }

  const withOutputs = (change: (o: Output) => Output): Graph => {
    const graph = sound();
    return { ...graph, outputs: graph.outputs.map(change) };
  };

  it('finds nothing wrong with what the builder makes', () => {
    expect(verifyGraph(sound())).toEqual([]);
  });

  const faults: readonly [string, () => Graph, RegExp][] = [
    [
      'a use before the definition',
      () => {
        const g = sound();
        return { ...g, nodes: g.nodes.toReversed() };
      },
      /`add` uses %\d+, which is not defined before it/,
    ],
    [
      'a node that is missing',
      () => {
        const g = sound();
        return { ...g, nodes: g.nodes.filter(n => n.kind !== 'op' || n.op !== tanh) };
      },
      /`reduce_sum` uses %2, which is not defined/,
    ],
    [
      'a node that stands there twice',
      () => {
        const g = sound();
        return { ...g, nodes: [...g.nodes, g.nodes[2]!] };
      },
      /stands in the graph twice/,
    ],
    [
      'an id that is used twice',
      () => {
        const g = sound();
        Object.assign(g.nodes[2]!.outputs[0]!, { id: 0 });
        return g;
      },
      /%0 is defined twice, the second time by %0 = `tanh`/,
    ],
    [
      'a value of another graph',
      () => {
        const g = sound();
        return { ...g, outputs: sound().outputs };
      },
      /output y uses %3, but that id belongs to another value/,
    ],
    [
      'a value that does not know its node',
      () => {
        const g = sound();
        Object.assign(g.nodes[2]!.outputs[0]!, { index: 1 });
        return g;
      },
      /does not know that it is output 0/,
    ],
    [
      'a wrong type',
      () => {
        const g = sound();
        Object.assign(g.nodes[2]!.outputs[0]!, { type: tensor('f32', [N, 4]) });
        return g;
      },
      /`tanh`: %2 is f32\[N, 4\], the shape rule gives f32\[N, 3\]/,
    ],
    [
      'inputs that the shape rule rejects',
      () => spoil(sound(), 'add', { inputs: sound().nodes[0]!.outputs }),
      /the shape rule rejects it/,
    ],
    [
      'a missing output',
      () => spoil(sound(), 'tanh', { outputs: [] }),
      /has 0 outputs, the shape rule gives 1/,
    ],
    [
      'attributes that are not canonical',
      () => spoil(sound(), 'reduce_sum', { attrs: { axes: [-2], keep: false } }),
      /not in canonical form/,
    ],
    [
      'an attribute that is left out',
      () => spoil(sound(), 'reduce_sum', { attrs: { axes: [0] } }),
      /not in canonical form/,
    ],
    [
      'an attribute that the op does not have',
      () => spoil(sound(), 'tanh', { attrs: { axis: 1 } }),
      /there is no attribute `axis`/,
    ],
    [
      'two inputs of one name',
      () => {
        const g = sound();
        return {
          ...g,
          nodes: g.nodes.map(n =>
            n.kind === 'input' ? Object.assign(n, { name: 'x' } satisfies Partial<InputNode>) : n,
          ),
        };
      },
      /two inputs are called x/,
    ],
    ['an update without a target', () => withOutputs(({ target: _, ...o }) => o), /update w has no target/],
    [
      'a target that is no param',
      () => withOutputs(o => (o.target ? { ...o, target: 'x' } : o)),
      /there is no param or state x/,
    ],
    [
      'an update of another type',
      () => {
        const g = sound();
        return {
          ...g,
          outputs: [{ name: 'w', role: 'update', target: 'w', value: g.nodes[2]!.outputs[0]! }],
        };
      },
      /update w is f32\[N, 3\], but its target w is f32\[3\]/,
    ],
    [
      'two updates of one target',
      () => {
        const g = sound();
        return { ...g, outputs: [g.outputs[1]!, { ...g.outputs[1]!, name: 'again' }] };
      },
      /two updates have the target w/,
    ],
    [
      'a result with a target',
      () => withOutputs(o => ({ ...o, role: 'result', target: 'w' })),
      /y is a result, but has the target w/,
    ],
    ['two outputs of one name', () => withOutputs(o => ({ ...o, name: 'y' })), /two outputs are called y/],
  ];
  it.each(faults)('catches %s', (_, graph, message) => {
    expect(verifyGraph(graph()).join('\n')).toMatch(message);
  });

  it('lets an initialiser write params that it does not read', () => {
    const b = new GraphBuilder('Init');
    b.output({ name: 'w', role: 'update', target: 'w', value: B.full(b, 0, tensor('f32', [3])) });
    expect(verifyGraph(b.build())).toEqual([]);
  });
});

describe('verifyCompute', () => {
  const type = tensor('f32', [N, 4]);
  const ids = tensor('i32', [N]);
  const monoid = M.sum('f32');
  const [n, i, k, stray] = [
    E.axis('n', N),
    E.axis('i', D.constant(4)),
    E.axis('k', D.constant(4)),
    E.axis('stray', N),
  ];
  const at = E.load(0, type, [n, i]);
  const sound: Compute & { reduce: Reduce } = {
    inputs: [type, ids],
    axes: [n, i],
    reduce: { axes: [k], monoid, lift: [E.load(0, type, [n, k])] },
    outs: [{ type, value: E.add(E.reduced(0, monoid), at) }],
  };
  const out = (value: Expr, more: Partial<Out> = {}): Compute => ({
    ...sound,
    outs: [{ type: { ...type, dtype: value.dtype }, value, ...more }],
  });
  const reduce = (change: Partial<Reduce>): Compute => ({ ...sound, reduce: { ...sound.reduce, ...change } });

  it('finds nothing wrong with a sound one', () => {
    expect(verifyCompute(sound)).toEqual([]);
  });

  const value = E.constant(0);
  const faults: readonly [string, () => Compute, RegExp][] = [
    ['an axis declared twice', () => ({ ...sound, axes: [n, n] }), /axis n is declared twice/],
    [
      'an axis that is not declared',
      () => out(E.load(0, type, [stray, i])),
      /out0 uses axis stray, which is not declared/,
    ],
    ['a reduction axis outside the reduction', () => out(E.load(0, type, [n, k])), /out0 uses axis k/],
    ['an input that does not exist', () => out(E.load(2, type, [n, i])), /loads in2, but there are 2 inputs/],
    [
      'a load of the wrong rank',
      () => out(E.load(0, type, [n])),
      /loads in0 at 1 coordinates, but it is f32\[N, 4\]/,
    ],
    [
      'a load of the wrong dtype',
      () => out(E.load(1, tensor('f32', [N]), [n])),
      /loads in1 as f32, but it is i32\[N\]/,
    ],
    [
      'a load out of range',
      () => out(E.load(0, type, [n, A.add(i, 1)])),
      /coordinate 1 is i \+ 1, which is 4 of 4 at i = 3/,
    ],
    [
      'a load before the start',
      () => out(E.load(0, type, [A.sub(n, 1), i])),
      /coordinate 0 is n - 1, which is -1/,
    ],
    [
      'a guard that does not suffice',
      () => out(E.load(0, type, [n, A.add(i, 1)], [{ op: 'le', a: A.index(2), b: A.index(i) }])),
      /which is 4 of 4/,
    ],
    [
      'a free dim that does not fit another',
      () => ({ ...out(E.load(1, ids, [A.mul(n, 2)])) }),
      /coordinate 0 is n \* 2, which is 2 of 2 at n = 1, N = 2/,
    ],
    [
      'an index that is no i32',
      () => out(E.load(0, type, [{ kind: 'value', value: E.constant(0, 'u32') }, i])),
      /indexed by u32 instead of i32/,
    ],
    [
      'a fault inside a computed index',
      () => out(E.load(0, type, [A.value(E.load(1, ids, [stray])), i])),
      /uses axis stray/,
    ],
    [
      'a reduction that does not exist',
      () => ({ inputs: [type], axes: [n, i], outs: sound.outs }),
      /refers to a reduction, but there is none/,
    ],
    [
      'a reduction inside its own lift',
      () => reduce({ lift: [E.reduced(0, monoid)] }),
      /refers to a reduction/,
    ],
    [
      'a component that does not exist',
      () => out({ kind: 'reduced', dtype: 'f32', component: 1 }),
      /component 1 of sum, which has 1/,
    ],
    [
      'a component of another dtype',
      () => out({ kind: 'reduced', dtype: 'i32', component: 0 }),
      /for i32, but it is f32/,
    ],
    [
      'a lift of another dtype',
      () => reduce({ lift: [E.constant(1, 'i32')] }),
      /the lift of sum gives \(i32\) instead of \(f32\)/,
    ],
    ['too few lifts', () => reduce({ lift: [] }), /the lift of sum gives \(\) instead/],
    [
      'a zero of another dtype',
      () => reduce({ monoid: { ...monoid, zero: [E.constant(0, 'i32')] } }),
      /the zero of sum/,
    ],
    [
      'a merge of another dtype',
      () => reduce({ monoid: { ...monoid, merge: ([a]) => [E.cast('i32', a!)] } }),
      /the merge of sum gives \(i32\)/,
    ],
    [
      'a merge that loads',
      () => reduce({ monoid: { ...monoid, merge: () => [at] } }),
      /the merge of sum loads/,
    ],
    [
      'a merge that uses an axis',
      () => reduce({ monoid: { ...monoid, merge: ([a]) => [E.add(a!, E.cast('f32', E.indexValue(n)))] } }),
      /the merge of sum uses axis n/,
    ],
    [
      'a guard with an axis from elsewhere',
      () => reduce({ guard: [{ op: 'lt', a: A.index(stray), b: A.index(1) }] }),
      /the guard uses axis stray/,
    ],
    [
      'operands of different dtypes',
      () => out({ kind: 'binary', dtype: 'f32', op: 'add', a: at, b: E.constant(1, 'i32') }),
      /`add` of f32 and i32/,
    ],
    [
      'a comparison taken for a float',
      () => out({ kind: 'binary', dtype: 'f32', op: 'lt', a: at, b: at }),
      /`lt` of f32 is taken for f32/,
    ],
    ['a condition that is no bool', () => out(E.select(at, at, at)), /`select` by f32/],
    [
      'branches of different dtypes',
      () => out(E.select(E.constant(1, 'bool'), at, E.constant(1, 'i32'))),
      /`select` between f32 and i32/,
    ],
    [
      'a function of floats given an integer',
      () => out(E.unary('exp', E.constant(1, 'i32'))),
      /`exp` of i32/,
    ],
    [
      'random keys of another dtype',
      () =>
        out(E.random(E.constant(1, 'u32'), E.constant(1, 'i32'), E.constant(1, 'u32'), E.constant(1, 'u32'))),
      /`random` is given i32/,
    ],
    ['no output', () => ({ ...sound, outs: [] }), /there is no output/],
    [
      'an output of another dtype',
      () => ({ ...sound, outs: [{ type, value: E.constant(1, 'i32') }] }),
      /out0 is f32\[N, 4\], but its value is i32/,
    ],
    [
      'an output of another shape',
      () => out(value, { type: tensor('f32', [4, N]) }),
      /out0 has the shape \[4, N\], its axes \[N, 4\]/,
    ],
    [
      'a kept axis that is not declared',
      () => out(value, { keep: [n, k] }),
      /keeps axis k, which is not declared/,
    ],
    [
      'a kept shape that does not fit',
      () => out(value, { keep: [n] }),
      /out0 has the shape \[N, 4\], its axes \[N\]/,
    ],
    ['a place of the wrong rank', () => out(value, { at: [A.index(n)] }), /is stored at 1 coordinates/],
    [
      'a place out of range',
      () => out(value, { at: [A.index(n), A.mul(i, 2)] }),
      /out0 is stored out of range: coordinate 1 is i \* 2/,
    ],
    [
      'elements that are not all stored',
      () => ({
        inputs: [],
        axes: [i],
        outs: [{ type: tensor('f32', [8]), value, at: [A.mul(i, 2)] }],
      }),
      /out0 has 8 elements, but 4 are stored/,
    ],
  ];
  it.each(faults)('catches %s', (_, compute, message) => {
    expect(verifyCompute(compute()).join('\n')).toMatch(message);
  });

  it('takes guards of the load and of the reduction into account', () => {
    const next = A.add(k, i);
    const guard = inRange(next, 4);
    expect(verifyCompute(reduce({ guard, lift: [E.load(0, type, [n, next])] }))).toEqual([]);
    expect(verifyCompute(reduce({ lift: [E.load(0, type, [n, next], guard)] }))).toEqual([]);
    expect(verifyCompute(reduce({ lift: [E.load(0, type, [n, next])] }))).not.toEqual([]);
  });

  it('takes the axes of a region', () => {
    const stage: Compute = {
      inputs: [type],
      axes: [i],
      outs: [{ type, value: at, at: [A.index(n), A.index(i)] }],
    };
    expect(verifyCompute(stage, [n])).toEqual([]);
    expect(verifyCompute(stage)).not.toEqual([]);
  });

  it('finds nothing wrong with a convolution over free dims', () => {
    const types = [tensor('f32', [N, 4, D.symbol('H'), D.symbol('W')]), tensor('f32', [6, 2, 3, 3])];
    const attrs = convolution.prepare!(
      types,
      withDefaults(convolution, { stride: 2, pad_low: 1, pad_high: 1, groups: 2 }),
    );
    expect(verifyCompute(convolution.lower!(types, attrs, convolution.infer(types, attrs)))).toEqual([]);
  });

  const lowered = primitives.filter(op => op.lower && op.samples);
  it.each(lowered.map(op => [op.name, op] as const))('finds nothing wrong with %s', (_, op) => {
    fc.assert(
      fc.property(op.samples!(fc), ({ inputs, attrs: given }) => {
        const b = new GraphBuilder('One');
        const values = inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
        const outputs = b.emitAll(op, values, given);
        const node = outputs[0]!.node as OpNode;
        expect(verifyGraph(b.build())).toEqual([]);
        const types = outputs.map(v => v.type);
        const compute = op.lower!(
          values.map(v => v.type),
          fixAttrs(node.attrs, {}),
          types,
        );
        expect(verifyCompute(compute)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('reads the sum as one', () => {
    const types = [tensor('f32', [N, 3])];
    const attrs = reduceSum.prepare!(types, { axes: [0], keep: false });
    expect(verifyCompute(reduceSum.lower!(types, attrs, reduceSum.infer(types, attrs)))).toEqual([]);
  });
});
