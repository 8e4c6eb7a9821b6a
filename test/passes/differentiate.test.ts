import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Value } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import { add } from '../../src/ops/add.ts';
import * as B from '../../src/ops/build.ts';
import { concat } from '../../src/ops/concat.ts';
import { gradient } from '../../src/ops/gradient.ts';
import { maxPool } from '../../src/ops/max-pool.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { stop } from '../../src/ops/stop.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { differentiate, differentiateGraph, hasInnerTargets } from '../../src/passes/differentiate.ts';
import { eliminateDead } from '../../src/passes/eliminate.ts';
import type { Diagnostic } from '../../src/support/diagnostic.ts';
import { finish, randomGraph } from './graphs.ts';

const scalar = tensor('f32', []);
const vector = tensor('f32', [3]);

/** Differentiates, checks the result, and computes it. */
function run(graph: Graph, inputs: Record<string, NdArray>): Record<string, number[]> {
  const { graph: expanded } = differentiateGraph(graph);
  expect(verifyGraph(expanded)).toEqual([]);
  const { outputs } = interpretGraph(expanded, inputs);
  return Object.fromEntries([...outputs].map(([name, array]) => [name, [...array.data]]));
}

/** A graph over the vectors x and w, whose outputs are the gradients of a scalar. */
function gradients(of: (b: GraphBuilder, x: Value, w: Value) => { of: Value; wrt: readonly Value[] }): Graph {
  const b = new GraphBuilder('Hand');
  const x = b.input('input', 'x', vector, { path: 'x' });
  const w = b.input('param', 'w', vector, { path: 'w' });
  const asked = of(b, x, w);
  b.emitAll(gradient, [asked.of, ...asked.wrt]).forEach((value, i) => {
    b.output({ name: `d${i}`, role: 'result', value });
  });
  return b.build();
}

const x = ndarray('f32', [3], [1, -2, 3]);
const w = ndarray('f32', [3], [0.5, 4, -1]);

describe('differentiate', () => {
  it('applies the product rule', () => {
    const graph = gradients((b, x, w) => ({ of: B.reduceSum(b, B.mul(b, x, w)), wrt: [x, w] }));
    expect(run(graph, { x, w })).toEqual({ d0: [0.5, 4, -1], d1: [1, -2, 3] });
  });

  it('adds up what comes from several uses', () => {
    // x^2 + x w + x: 2 x + w + 1
    const graph = gradients((b, x, w) => {
      const sum = B.add(b, B.add(b, B.mul(b, x, x), B.mul(b, x, w)), x);
      return { of: B.reduceSum(b, sum), wrt: [x] };
    });
    expect(run(graph, { x, w }).d0).toEqual([3.5, 1, 6]);
  });

  it('of tensors whose sizes a small input would make negative', () => {
    const H = D.symbol('H');
    const of = (height: D.Dim): Graph => {
      const b = new GraphBuilder('Windows');
      const x = b.input('param', 'x', tensor('f32', [1, 1, height, 4]), { path: 'x' });
      const [most] = b.emitAll(maxPool, [x], { kernel: [3, 3], stride: 1 });
      const both = b.emit(concat, [most!, B.mul(b, most!, most!)], { axis: 1 });
      const [d] = b.emitAll(gradient, [B.reduceSum(b, both), x]);
      b.output({ name: 'd', role: 'result', value: d! });
      return b.build();
    };
    const x = ndarray('f32', [1, 1, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 11]);
    const { outputs } = interpretGraph(differentiateGraph(of(H)).graph, { x }, { dims: { H: 3 } });
    // Both windows have 12: twice 1 + 2 * 12.
    expect([...outputs.get('d')!.data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 0]);
    expect(outputs).toEqual(
      interpretGraph(differentiateGraph(of(D.constant(3))).graph, { x }, { dims: {} }).outputs,
    );
  });

  it('gives the same nodes in the same order every time', () => {
    const text = () =>
      printGraph(
        differentiateGraph(
          gradients((b, x, w) => {
            const h = b.emit(tanh, [B.mul(b, x, w)]);
            return { of: B.reduceSum(b, B.add(b, B.mul(b, h, h), B.mul(b, h, x))), wrt: [x, w] };
          }),
        ).graph,
      );
    expect(text()).toBe(text());
  });

  it('seeds one where the scalar is asked for itself, twice if asked twice', () => {
    const b = new GraphBuilder('Self');
    const s = b.input('scalar', 's', scalar);
    b.emitAll(gradient, [s, s, s]).forEach((value, i) => {
      b.output({ name: `d${i}`, role: 'result', value });
    });
    expect(run(b.build(), { s: ndarray('f32', [], [7]) })).toEqual({ d0: [1], d1: [1] });
  });

  it('differentiates x^3 three times', () => {
    const b = new GraphBuilder('Cube');
    const s = b.input('scalar', 's', scalar);
    let y = B.mul(b, B.mul(b, s, s), s);
    for (let i = 1; i <= 4; i++) {
      y = b.emit(gradient, [y, s]);
      b.output({ name: `d${i}`, role: 'result', value: y });
    }
    expect(run(b.build(), { s: ndarray('f32', [], [2]) })).toEqual({ d1: [12], d2: [12], d3: [6], d4: [0] });
  });

  it('differentiates a function of a gradient (gradient penalty)', () => {
    // g = d/dx sum(x^2 w) = 2 x w; d/dw sum(g^2) = 8 x^2 w
    const graph = gradients((b, x, w) => {
      const inner = b.emit(gradient, [B.reduceSum(b, B.mul(b, B.mul(b, x, x), w)), x]);
      return { of: B.reduceSum(b, B.mul(b, inner, inner)), wrt: [w] };
    });
    expect(run(graph, { x, w }).d0).toEqual([4, 128, -72]);
  });

  it('differentiates by inner values, and through them by what they are made of', () => {
    // h = x w, y = sum(h^2): dy/dh = 2 h, dy/dx = 2 h w
    const graph = gradients((b, x, w) => {
      const h = B.mul(b, x, w);
      return { of: B.reduceSum(b, B.mul(b, h, h)), wrt: [h, x] };
    });
    expect(hasInnerTargets(graph)).toBe(true);
    expect(run(graph, { x, w })).toEqual({ d0: [1, -16, -6], d1: [0.5, -64, 6] });
  });

  it('does not walk into nodes that lead to no target', () => {
    const graph = gradients((b, x, w) => ({
      of: B.reduceSum(b, B.mul(b, B.sin(b, b.emit(sigmoid, [x])), w)),
      wrt: [w],
    }));
    expect(printGraph(eliminateDead(differentiateGraph(graph).graph))).not.toContain('cos(');
  });

  it('gives zeros where nothing arrives, and says what cut it', () => {
    const span = { source: { name: 'gan.dnn', text: 'x = stop(w)' }, start: 4, end: 11 };
    const graph = gradients((b, x, w) => {
      const cut = b.emit(stop, [w], {}, { span });
      return { of: B.reduceSum(b, B.add(b, B.mul(b, cut, 3), x)), wrt: [x, w] };
    });
    expect(run(graph, { x, w })).toEqual({ d0: [1, 1, 1], d1: [0, 0, 0] });
    const context = { diagnostics: [] };
    differentiate.run(graph, context);
    expect(context.diagnostics).toEqual([
      {
        code: 'E0301',
        severity: 'warning',
        message: 'nothing in `minimize` reaches w',
        label: 'gets no gradient',
        notes: [{ message: 'cut by stop(...) at gan.dnn:1:5', span }],
        hint: 'replace stop(...) by something smooth, or leave this out of `over`',
      },
    ]);
  });

  it('blames the first cut alone, and warns once for what belongs together', () => {
    const span = { source: { name: 'net.dnn', text: 'dense(3)' }, start: 0, end: 8 };
    const b = new GraphBuilder('g');
    const type = tensor('f32', [3]);
    const [x, w, v] = [
      b.input('input', 'x', type),
      b.input('param', 'w', type, { span }),
      b.input('param', 'v', type, { span }),
    ];
    const cut = b.emit(stop, [B.add(b, w, v)]);
    // Behind it lies another, as in a softmax, which is on an open way from x.
    const y = B.mul(b, cut, x);
    const of = B.reduceSum(b, B.sub(b, y, b.emit(stop, [y])));
    const results = b.emitAll(gradient, [of, x, w, v]);
    for (const [i, value] of results.entries()) b.output({ name: `d${i}`, role: 'result', value });
    const { unreached } = differentiateGraph(b.build());
    expect(unreached.map(u => u.cutBy.map(n => n.outputs[0]))).toEqual([[cut], [cut]]);
    const context: { diagnostics: Diagnostic[] } = { diagnostics: [] };
    differentiate.run(b.build(), context);
    expect(context.diagnostics.map(d => d.message)).toEqual(['nothing in `minimize` reaches w, v']);
  });

  it('does not count a path that is cut, only the open one', () => {
    const graph = gradients((b, _, w) => ({
      of: B.reduceSum(b, B.mul(b, b.emit(stop, [w]), w)),
      wrt: [w],
    }));
    expect(run(graph, { x, w }).d0).toEqual([0.5, 4, -1]);
    expect(differentiateGraph(graph).unreached).toEqual([]);
  });

  it('names no cut where there is no way at all', () => {
    const { unreached } = differentiateGraph(gradients((b, x, w) => ({ of: B.reduceSum(b, x), wrt: [w] })));
    expect(unreached.map(u => u.cutBy)).toEqual([[]]);
  });

  it('ends at integers, and at the op that makes them', () => {
    const { graph, unreached } = differentiateGraph(
      gradients((b, _, w) => ({
        of: B.reduceSum(b, B.mul(b, B.cast(b, B.cast(b, w, 'i32'), 'f32'), 2)),
        wrt: [w],
      })),
    );
    expect(verifyGraph(graph)).toEqual([]);
    expect(unreached.map(u => u.cutBy.map(n => `${n.op.name} to ${n.outputs[0]!.type.dtype}`))).toEqual([
      ['cast to i32'],
    ]);
  });

  it('ends at a second output that is not float', () => {
    const b = new GraphBuilder('Pool');
    const image = b.input('param', 'image', tensor('f32', [1, 1, 4, 4]));
    const [, index] = b.emitAll(maxPool, [image], { kernel: [2, 2] });
    const loss = B.reduceSum(b, B.cast(b, index!, 'f32'));
    b.output({ name: 'g', role: 'result', value: b.emit(gradient, [loss, image]) });
    const { unreached } = differentiateGraph(b.build());
    expect(unreached.map(u => u.cutBy.map(n => n.op.name))).toEqual([['max_pool']]);
  });

  it('keeps the place in the source, and marks the path', () => {
    const b = new GraphBuilder('Net');
    const s = b.input('scalar', 's', scalar);
    b.origin = { path: 'Net.act' };
    const y = b.emit(tanh, [s]);
    b.origin = {};
    b.output({ name: 'g', role: 'result', value: b.emit(gradient, [y, s]) });
    const made = differentiateGraph(b.build()).graph.nodes.slice(2);
    expect(new Set(made.map(n => n.origin.path))).toEqual(new Set(['Net.act backward']));
  });

  it('leaves out gradients that nothing reads', () => {
    const graph = gradients((b, x, w) => ({ of: B.reduceSum(b, B.mul(b, x, w)), wrt: [w] }));
    const { graph: expanded, unreached } = differentiateGraph({ ...graph, outputs: [] });
    expect(expanded.nodes.map(n => n.kind)).toEqual(['input', 'input']);
    expect(unreached).toEqual([]);
  });

  it('refuses a rule that gives the wrong type', () => {
    const wrong = { ...add, name: 'wrong', vjp: (b: GraphBuilder) => [B.scalar(b, 1), undefined] };
    const graph = gradients((b, x, w) => ({ of: B.reduceSum(b, b.emit(wrong, [x, w])), wrt: [x] }));
    expect(() => differentiateGraph(graph)).toThrow(/the gradient rule of `wrong` gives .* for input 0/);
  });

  it('agrees with finite differences on random graphs', () => {
    fc.assert(
      fc.property(randomGraph('smooth'), fc.integer({ min: 1, max: 1 << 20 }), (random, seed) => {
        const asked = random.builder.emitAll(gradient, [random.loss, ...random.inputs]);
        const { graph } = differentiateGraph(finish(random, asked));
        expect(verifyGraph(graph)).toEqual([]);
        const names = random.inputs.map(v => (v.node.kind === 'input' ? v.node.name : ''));
        let state = seed;
        const direction = Object.fromEntries(
          Object.entries(random.arrays).map(([name, array]) => [
            name,
            array.data.map(() => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1),
          ]),
        );
        const lossAt = (t: number) => {
          const moved = Object.entries(random.arrays).map(([name, array]) => [
            name,
            { ...array, data: array.data.map((v, i) => v + t * direction[name]![i]!) },
          ]);
          return interpretGraph(graph, Object.fromEntries(moved)).outputs.get('loss')!.data[0]!;
        };
        const { outputs } = interpretGraph(graph, random.arrays);
        const exact = names.reduce((sum, name, k) => {
          const g = outputs.get(`y${k + Math.min(2, random.values.length)}`)!;
          return g.data.reduce((s, v, i) => s + v * direction[name]![i]!, sum);
        }, 0);
        const h = 1e-4;
        // Fourth-order central difference.
        const numeric = (8 * (lossAt(h) - lossAt(-h)) - (lossAt(2 * h) - lossAt(-2 * h))) / (12 * h);
        expect(Math.abs(exact - numeric)).toBeLessThan(
          1e-5 * Math.max(1, Math.abs(exact), Math.abs(numeric)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('works with a free batch dim', () => {
    const b = new GraphBuilder('Batch');
    const data = b.input('input', 'x', tensor('f32', [D.symbol('N'), 3]));
    const weight = b.input('param', 'w', tensor('f32', [3]));
    const loss = B.reduceSum(b, B.mul(b, data, weight));
    b.output({ name: 'g', role: 'result', value: b.emit(gradient, [loss, weight]) });
    const array = ndarray('f32', [2, 3], [1, 2, 3, 10, 20, 30]);
    expect(run(b.build(), { x: array, w }).g).toEqual([11, 22, 33]);
  });
});
