import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpNode, Value } from '../src/ir/graph.ts';
import { adjointCompute } from '../src/ir/interpret/adjoint.ts';
import { interpretCompute } from '../src/ir/interpret/compute.ts';
import { interpretGraph } from '../src/ir/interpret/graph.ts';
import { concreteShape, zeros } from '../src/ir/ndarray.ts';
import type { NdArray, Primitive, Sample } from '../src/ir/primitive.ts';
import type { Precision } from '../src/ir/scalar.ts';
import { isFloat } from '../src/ir/type.ts';
import { primitive, primitives } from '../src/ops/list.ts';
import { difference, dot, dotScale, generator, moved, randomLike, slope } from './arbitrary/numbers.ts';
import { cutsGradients, gradientGraph, graphOf, hasGradient, secondGradients } from './op-graphs.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 50);

function each(op: Primitive, check: (sample: Sample, next: () => number) => void, runs = numRuns): void {
  if (!op.samples) return;
  const property = fc.property(op.samples(fc), fc.nat(), (sample, s) => check(sample, generator(s)));
  fc.assert(property, { seed, numRuns: runs });
}

const named = (prefix: string, arrays: readonly (NdArray | undefined)[]): Record<string, NdArray> =>
  Object.fromEntries(arrays.flatMap((x, i) => (x ? [[`${prefix}${i}`, x]] : [])));

function referenceOf(node: OpNode, inputs: readonly NdArray[], precision: Precision): readonly NdArray[] {
  return node.op.reference(
    inputs,
    node.attrs,
    node.outputs.map(v => v.type),
    precision,
  );
}

function computeOf(node: OpNode) {
  return node.op.lower?.(
    node.inputs.map(v => v.type),
    node.attrs,
    node.outputs.map(v => v.type),
  );
}

const rounded = (x: NdArray): NdArray => (isFloat(x.dtype) ? { ...x, data: x.data.map(Math.fround) } : x);

function agree(actual: readonly NdArray[], expected: readonly NdArray[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((e, i) => {
    const wrong = difference(actual[i]!, e, tolerance);
    if (wrong) throw new Error(`output ${i}: ${wrong}`);
  });
}

describe.each(primitives.map(op => [op.name, op] as const))('%s', (_, op) => {
  test('is described', () => {
    expect(op.name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(op.doc.length).toBeGreaterThan(10);
    expect(op.example.length).toBeGreaterThan(3);
    for (const spec of Object.values(op.attrs)) expect(spec.doc.length).toBeGreaterThan(3);
    if (op.kind === 'macro') return;
    expect(op.samples).toBeDefined();
    expect(op.lower).toBeDefined();
    expect(primitive(op.name)).toBe(op);
  });

  test('prepares its attributes once', () => {
    each(op, sample => {
      const { b, inputs, outputs, node } = graphOf(op, sample);
      expect(b.emitAll(op, inputs, node.attrs)).toBe(outputs);
    });
  });

  test('has the shape that its reference gives', () => {
    each(op, sample => {
      const { node } = graphOf(op, sample);
      const results = referenceOf(node, sample.inputs, 'f64');
      expect(results.map(r => [r.dtype, r.shape])).toEqual(
        node.outputs.map(v => [v.type.dtype, concreteShape(v.type)]),
      );
      for (const r of results) expect(r.data.length).toBe(r.shape.reduce((n, d) => n * d, 1));
    });
  });

  test('lowers to what its reference computes, in f64 and f32', () => {
    each(op, sample => {
      const { node } = graphOf(op, sample);
      const compute = computeOf(node)!;
      agree(
        interpretCompute(compute, sample.inputs, {}, 'f64'),
        referenceOf(node, sample.inputs, 'f64'),
        1e-12,
      );
      const inputs = sample.inputs.map(rounded);
      agree(interpretCompute(compute, inputs, {}, 'f32'), referenceOf(node, inputs, 'f32'), 1e-5);
    });
  });

  test('simplifies to an equal value', () => {
    each(op, sample => {
      const { b, inputs, node } = graphOf(op, sample);
      const simpler = op.simplify?.(b, inputs, node.attrs, node.outputs);
      if (!simpler) return;
      expect(simpler.map(v => [v.type.dtype, concreteShape(v.type)])).toEqual(
        node.outputs.map(v => [v.type.dtype, concreteShape(v.type)]),
      );
      simpler.forEach((value, i) => {
        b.output({ name: `y${i}`, role: 'result', value });
      });
      const { outputs } = interpretGraph(b.build(), named('x', sample.inputs));
      agree([...outputs.values()], referenceOf(node, sample.inputs, 'f64'), 1e-12);
    });
  });

  if (!op.vjp || op.inputs.length === 0) return;

  test('has the gradient of the exact reverse mode over its lowering', () => {
    each(op, (sample, next) => {
      if (!hasGradient(op, sample)) return;
      const { b, node, cts, wrt, gradients } = gradientGraph(op, sample);
      const cotangents = cts.map(ct => ct && randomLike(zeros(ct.type.dtype, concreteShape(ct.type)), next));
      for (const { v, i } of wrt)
        if (gradients[i])
          expect([i, gradients[i].type.dtype, concreteShape(gradients[i].type)]).toEqual([
            i,
            v.type.dtype,
            concreteShape(v.type),
          ]);
      const { outputs } = interpretGraph(b.build(), {
        ...named('x', sample.inputs),
        ...named('c', cotangents),
      });
      const exact = adjointCompute(computeOf(node)!, sample.inputs, cotangents);
      for (const { i } of wrt) {
        const x = sample.inputs[i]!;
        const expected = cutsGradients.includes(op) ? zeros(x.dtype, x.shape) : exact[i]!;
        const wrong = difference(outputs.get(`g${i}`) ?? zeros(x.dtype, x.shape), expected, 1e-9);
        if (wrong) throw new Error(`gradient of input ${i}: ${wrong}`);
      }
    });
  });

  if (cutsGradients.includes(op)) return;

  test('has the gradient of finite differences', () => {
    each(op, (sample, next) => {
      if (sample.smooth === false || !hasGradient(op, sample)) return;
      const { b, cts, node, wrt } = gradientGraph(op, sample);
      const cotangents = cts.map(ct => ct && randomLike(zeros(ct.type.dtype, concreteShape(ct.type)), next));
      const directions = sample.inputs.map(x => (isFloat(x.dtype) ? randomLike(x, next) : undefined));
      const { outputs } = interpretGraph(b.build(), {
        ...named('x', sample.inputs),
        ...named('c', cotangents),
      });
      const predicted = wrt.reduce((sum, { i }) => {
        const g = outputs.get(`g${i}`);
        return g ? sum + dot(g, directions[i]!) : sum;
      }, 0);
      const along = (step: number) => {
        const at = sample.inputs.map((x, i) => (directions[i] ? moved(x, directions[i], step) : x));
        const y = referenceOf(node, at, 'f64');
        return cotangents.reduce((sum, ct, i) => (ct ? sum + dot(ct, y[i]!) : sum), 0);
      };
      const scale = cotangents.reduce(
        (sum, ct, i) => (ct ? sum + dotScale(ct, outputs.get(`y${i}`)!) : sum),
        1,
      );
      closeTo(predicted, slope(along), scale);
    });
  });

  test('has a gradient with the right gradient', () => {
    each(
      op,
      (sample, next) => {
        if (sample.smooth === false || !hasGradient(op, sample)) return;
        const graphs = gradientGraph(op, sample);
        const { b, cts } = graphs;
        const further = secondGradients(graphs);
        if (!further) return;
        const { first, weights, sources, second } = further;
        second.forEach((value, k) => {
          if (value) b.output({ name: `h${k}`, role: 'result', value });
        });
        const random = (v: Value) => randomLike(zeros(v.type.dtype, concreteShape(v.type)), next);
        const u = Object.fromEntries(weights.map(([, w]) => [(w.node as { name: string }).name, random(w)]));
        const at = {
          ...named('x', sample.inputs),
          ...named(
            'c',
            cts.map(ct => ct && random(ct)),
          ),
          ...u,
        };
        const graph = b.build();
        const { outputs } = interpretGraph(graph, at);
        const nameOf = (v: Value) => (v.node as { name: string }).name;
        const directions = sources.map(random);
        const predicted = second.reduce(
          (sum, value, k) => (value ? sum + dot(outputs.get(`h${k}`)!, directions[k]!) : sum),
          0,
        );
        const along = (step: number) => {
          const there = Object.fromEntries(
            sources.map((v, k) => [nameOf(v), moved(at[nameOf(v)]!, directions[k]!, step)]),
          );
          const result = interpretGraph(graph, { ...at, ...there }).outputs;
          return first.reduce((sum, { i }) => sum + dot(result.get(`g${i}`)!, u[`u${i}`]!), 0);
        };
        const scale = first.reduce((sum, { i }) => sum + dotScale(outputs.get(`g${i}`)!, u[`u${i}`]!), 1);
        closeTo(predicted, slope(along), scale);
      },
      Math.ceil(numRuns / 2),
    );
  });
});

function closeTo(actual: number, expected: number, scale: number): void {
  if (!(Math.abs(actual - expected) <= 1e-6 * Math.max(scale, Math.abs(expected))))
    throw new Error(`directional derivative ${actual}, finite differences ${expected}`);
}
