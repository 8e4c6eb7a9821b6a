import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expr } from '../../src/ir/compute.ts';
import * as D from '../../src/ir/dim.ts';
import * as E from '../../src/ir/expr.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Precision } from '../../src/ir/scalar.ts';
import { gpuTarget, softwareTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { convolutionInputGradient } from '../../src/ops/convolution-input-gradient.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { dropUnitAxes } from '../../src/passes/unit-axes.ts';
import { winograd } from '../../src/passes/winograd/index.ts';
import { algorithms, type MinimalFiltering, taps } from '../../src/passes/winograd/transforms.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';
import { matrixTarget, withFactors } from '../matrices.ts';
import { build, N } from '../schedule/build.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 6);

const named = algorithms.map(by => [`F(${by.outputs}x${by.outputs}, 3x3)`, by] as const);
const [four, two] = algorithms as [MinimalFiltering, MinimalFiltering];

function filter([n, c, o, h, w]: readonly [number | D.Dim, number, number, number, number], pad = 1): Graph {
  return build({ x: [n, c, h, w], weight: [o, c, 3, 3], bias: [o] }, (b, [x, weight, bias]) => {
    const y = b.emit(convolution, [x!, weight!], { pad_low: pad, pad_high: pad });
    return [B.add(b, y, B.reshape(b, bias!, [1, o, 1, 1]))];
  });
}

const inputGradient = (n: number, c: number, o: number, side: number): Graph =>
  build({ ct: [n, o, side, side], weight: [o, c, 3, 3] }, (b, [ct, weight]) => [
    b.emit(convolutionInputGradient, [ct!, weight!], { spatial: [side, side], pad_low: 1, pad_high: 1 }),
  ]);

const eager = (target: Target): Target => ({ ...target, eager: true });

/** The program, transformed by one algorithm alone; undefined where nothing is. */
function transformed(graph: Graph, target: Target, by?: MinimalFiltering) {
  const fused = fuse(graph, target);
  const program = winograd(
    target.kind === 'gpu' ? fused : dropUnitAxes(fused),
    target,
    by ? [by] : algorithms,
  );
  return program.works.some(w => w.role === 'Winograd products') ? program : undefined;
}

function inputsOf(graph: Graph, dims: D.DimEnv, next: () => number): Record<string, NdArray> {
  const inputs: Record<string, NdArray> = {};
  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const shape = node.outputs[0].type.shape.map(d => D.evaluate(d, dims));
      inputs[node.name] = randomLike({ dtype: 'f32', shape, data: new Float64Array(size(shape)) }, next);
    }
  return inputs;
}

const round = (arrays: Record<string, NdArray>): Record<string, NdArray> =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, a]) => [name, { ...a, data: a.data.map(Math.fround) }]),
  );

describe.each(named)('%s', (_, by) => {
  test.each([gpuTarget, softwareTarget, wasmTarget])(
    'gives what the filter gives, in kernels for $name',
    target => {
      const sides = fc.integer({ min: by.outputs, max: 11 });
      const few = fc.integer({ min: 1, max: 5 });
      fc.assert(
        fc.property(
          fc.record({
            n: fc.integer({ min: 0, max: 3 }),
            c: few,
            o: few,
            h: sides,
            w: sides,
            pad: fc.constantFrom(1, 2),
          }),
          ({ n, c, o, h, w, pad }) => {
            const graph = filter([N, c, o, h, w], pad);
            const taken = transformed(graph, eager(target), by);
            // Where axes of one point are gone, no channel may be left.
            if (target.kind === 'gpu' || Math.min(c, o) > 1) expect(taken).toBeDefined();
            const program = taken ?? fuse(graph, target);
            const inputs = inputsOf(graph, { N: n }, generator(h + 31 * w));
            const dims = { N: n };
            const kernels = schedule(program, target);
            const actual = interpretProgram(program, inputs, { dims, kernels });
            for (const [name, e] of interpretGraph(graph, inputs, { dims }).outputs)
              expect(difference(actual.outputs.get(name)!, e, 1e-11)).toBeUndefined();
          },
        ),
        { seed, numRuns },
      );
    },
  );

  test('is taken for input gradients too', () => {
    const graph = inputGradient(2, 3, 4, 7);
    const program = transformed(graph, eager(gpuTarget), by)!;
    const inputs = inputsOf(graph, {}, generator(3));
    const actual = interpretProgram(program, inputs, { dims: {} });
    for (const [name, e] of interpretGraph(graph, inputs, { dims: {} }).outputs)
      expect(difference(actual.outputs.get(name)!, e, 1e-11)).toBeUndefined();
  });
});

/** Of sums, differences and products of constants. */
function worth(e: Expr): number {
  if (e.kind === 'const') return Number(e.value);
  if (e.kind !== 'binary') throw new Error(`no ${e.kind} is in a transform`);
  const [a, b] = [worth(e.a), worth(e.b)];
  return e.op === 'add' ? a + b : e.op === 'sub' ? a - b : a * b;
}

/** `[output][input]` of a linear transform of so many inputs. */
function coefficients(transform: MinimalFiltering['input'], width: number): number[][] {
  const unit = (i: number): Expr[] => Array.from({ length: width }, (_, j) => E.constant(i === j ? 1 : 0));
  const columns = Array.from({ length: width }, (_, i) => transform(unit(i)).map(worth));
  return columns[0]!.map((_, row) => columns.map(c => c[row]!));
}

/** The largest sum of |coefficients| on the way from image and filter to an output: L of decision 20. */
function reach({ input, filter: ofTaps, output, points }: MinimalFiltering): number {
  const sums = (transform: MinimalFiltering['input'], width: number): number[] =>
    coefficients(transform, width).map(row => row.reduce((n, x) => n + Math.abs(x), 0));
  const [b, g] = [sums(input, points), sums(ofTaps, taps)];
  return Math.max(
    ...coefficients(output, points).map(row => row.reduce((n, a, p) => n + Math.abs(a) * b[p]! * g[p]!, 0)),
  );
}

test('what the bound of decision 20 is made of', () => {
  expect(reach(four)).toBeCloseTo(48, 10);
  expect(reach(two)).toBeCloseTo(8, 10);
});

describe('in f32', () => {
  const [channels, side] = [24, 13];
  const graph = filter([1, channels, 8, side, side]);
  const errorOf = (
    precision: Precision,
    by: MinimalFiltering | undefined,
    inputs: Record<string, NdArray>,
  ) => {
    const program = by ? transformed(graph, eager(gpuTarget), by)! : fuse(graph, gpuTarget);
    const exact = [...interpretGraph(graph, inputs, { dims: {} }).outputs.values()][0]!;
    const actual = [...interpretProgram(program, inputs, { dims: {}, precision }).outputs.values()][0]!;
    const largest = exact.data.reduce((n, x) => Math.max(n, Math.abs(x)), 0);
    const error = actual.data.reduce((n, x, i) => Math.max(n, Math.abs(x - exact.data[i]!)), 0);
    return { error, largest };
  };
  const inputs = round(inputsOf(graph, {}, generator(5)));

  test.each(named)('%s stays within its bound', (_, by) => {
    const largestOf = ({ data }: NdArray, from: number, length: number): number =>
      data.subarray(from, from + length).reduce((n, x) => Math.max(n, Math.abs(x)), 0);
    const { x, weight } = inputs as { x: NdArray; weight: NdArray };
    let terms = 0;
    for (let c = 0; c < channels; c++) {
      const filters = Array.from({ length: 8 }, (_, o) => largestOf(weight, 9 * (channels * o + c), 9));
      terms += largestOf(x, side * side * c, side * side) * Math.max(...filters);
    }
    const bound = (channels + 32) * 2 ** -24 * reach(by) ** 2 * terms;
    const { error } = errorOf('f32', by, inputs);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(bound);
    // Without rounding nothing is lost.
    expect(errorOf('f64', by, inputs).error).toBeLessThan(1e-11);
  });

  test('F(4x4) is a digit off, F(2x2) hardly', () => {
    const plain = errorOf('f32', undefined, inputs);
    const [ofFour, ofTwo] = [errorOf('f32', four, inputs), errorOf('f32', two, inputs)];
    expect(ofFour.error / ofFour.largest).toBeLessThan(2e-5);
    expect(ofFour.error).toBeLessThan(50 * plain.error);
    expect(ofTwo.error).toBeLessThan(5 * plain.error);
  });
});

describe('which is taken', () => {
  const outputsOf = (graph: Graph, target: Target): number | undefined => {
    const program = transformed(graph, target);
    const label = program?.works.find(w => w.role === 'Winograd products')?.absorbed?.[0];
    return label === undefined ? undefined : Number(/F\((\d)x/.exec(label)![1]);
  };

  test('by what is saved: four where a GPU has much to do, none where dispatches take longer', () => {
    expect(outputsOf(filter([32, 256, 256, 28, 28]), gpuTarget)).toBe(4);
    expect(outputsOf(filter([1, 16, 16, 14, 14]), gpuTarget)).toBeUndefined();
    expect(outputsOf(filter([1, 64, 64, 56, 56]), softwareTarget)).toBe(4);
  });

  test('two where an image has no room for four, or four saves no product', () => {
    for (const [side, outputs] of [
      [3, 2],
      [4, 4],
      [5, 2],
      [6, 2],
      [7, 4],
    ] as const)
      expect(outputsOf(filter([256, 256, 256, side, side]), gpuTarget)).toBe(outputs);
    expect(outputsOf(filter([1, 8, 8, 3, 3]), eager(gpuTarget))).toBe(2);
    expect(outputsOf(filter([1, 8, 8, 3, 1]), eager(gpuTarget))).toBeUndefined();
  });

  test('none that takes tensors beyond what every device binds, unless there are such already', () => {
    const graph = filter([128, 64, 64, 56, 56]);
    expect(outputsOf(graph, gpuTarget)).toBeUndefined();
    expect(outputsOf(graph, { ...gpuTarget, maxStorageBufferBindingSize: 2 ** 30 })).toBe(4);
    const beside = build(
      { x: [128, 64, 56, 56], weight: [64, 64, 3, 3], large: [128, 64, 128, 128] },
      (b, [x, weight, large]) => [
        b.emit(convolution, [x!, weight!], { pad_low: 1, pad_high: 1 }),
        b.emit(tanh, [large!]),
      ],
    );
    expect(outputsOf(beside, gpuTarget)).toBe(4);
  });

  test('none where factors are rounded for matrix units', () => {
    const graph = filter([32, 256, 256, 28, 28]);
    expect(outputsOf(graph, matrixTarget)).toBe(4);
    for (const how of ['rounded', 'split'] as const)
      expect(outputsOf(graph, withFactors(matrixTarget, how))).toBeUndefined();
  });
});
