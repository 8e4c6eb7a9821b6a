import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget, type MatrixFactors, type Target } from '../../src/ir/target.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { convolutionInputGradient } from '../../src/ops/convolution-input-gradient.ts';
import { convolutionWeightGradient } from '../../src/ops/convolution-weight-gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { candidates } from '../../src/passes/schedule/candidates.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { difference, generator } from '../arbitrary/numbers.ts';
import { matrixTarget, smallMatrixTarget, withFactors } from '../matrices.ts';
import { build, N, type Shape } from './build.ts';

const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 3);

/** Values that f16 has: multiples of 1/64 in [-2, 2], so that products are exact and sums in f64 are too. */
function inputsOf(graph: Graph, dims: D.DimEnv): Record<string, NdArray> {
  const next = generator(11);
  const inputs: Record<string, NdArray> = {};
  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const shape = node.outputs[0].type.shape.map(d => D.evaluate(d, dims));
      const data = Float64Array.from({ length: size(shape) }, () => Math.round((next() * 4 - 2) * 64) / 64);
      inputs[node.name] = { dtype: 'f32', shape, data };
    }
  return inputs;
}

/**
 * Runs the graph's kernels, interpreted, against the graph; some kernel must multiply matrices. Gives the names of arrays in
 * workgroup memory.
 */
function check(
  graph: Graph,
  dims: D.DimEnv = {},
  target: Target = matrixTarget,
  factors: MatrixFactors = 'rounded',
  tolerance = 1e-10,
): string[] {
  const program = fuse(graph, target);
  const kernels = schedule(program, withFactors(target, factors));
  const all = kernels.flatMap(s => s.kernels);
  for (const k of all) expect(verifyKernel(k)).toEqual([]);
  expect(all.some(k => k.subgroupSize !== undefined)).toBe(true);
  const inputs = inputsOf(graph, dims);
  const expected = interpretGraph(graph, inputs, { dims });
  const actual = interpretProgram(program, inputs, { dims, kernels });
  for (const [name, e] of expected.outputs) {
    const wrong = difference(actual.outputs.get(name)!, e, tolerance);
    if (wrong) throw new Error(`${name}: ${wrong}`);
  }
  return all.flatMap(k => k.shared.map(s => s.name));
}

const product = (a: Shape, b: Shape): Graph => build({ a, b }, (g, [x, y]) => [g.emit(matmul, [x!, y!])]);

describe('products on matrices of subgroups', () => {
  test('sizes that no block divides', () => void check(product([83, 45], [45, 50])));
  test('sizes that blocks divide', () => void check(product([128, 64], [64, 128])));
  test('within the guaranteed limits', () => void check(product([70, 64], [64, 96]), {}, smallMatrixTarget));

  test('random sizes', () => {
    const extent = fc.integer({ min: 16, max: 150 });
    const batch = fc.constantFrom<readonly number[]>([], [2]);
    const sizes = fc.tuple(extent, extent, extent, batch).filter(([m, n, k]) => m * n * k >= 2 ** 17);
    fc.assert(
      fc.property(sizes, ([m, n, k, b]) => void check(product([...b, m, k], [...b, k, n]))),
      { seed, numRuns },
    );
  });

  test('both transposed, in a batch', () =>
    check(
      build({ a: [3, 40, 72], b: [3, 60, 40] }, (b, [x, y]) => [
        b.emit(matmul, [B.transpose(b, x!, [0, 2, 1]), B.transpose(b, y!, [0, 2, 1])]),
      ]),
    ));

  test('a long reduction in parts', () => void check(product([32, 3000], [3000, 20])));
  test('a sum of free length, put aside in between', () => {
    check(product([64, N], [N, 32]), { N: 133 });
    check(product([64, N], [N, 32]), { N: 4197 });
  });

  test('a convolution with padding, stride, bias and tanh, free batch', () =>
    check(
      build({ x: [N, 8, 13, 12], w: [20, 8, 3, 3], bias: [20] }, (b, [x, w, bias]) => {
        const c = b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 2, stride: 2 });
        return [b.emit(tanh, [B.add(b, c, B.reshape(b, bias!, [1, 20, 1, 1]))])];
      }),
      { N: 3 },
    ));

  test('a convolution whose rows are read four at a time', () =>
    check(
      build({ x: [2, 6, 16, 16], w: [32, 6, 3, 3] }, (b, [x, w]) => [
        b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 1 }),
      ]),
    ));

  test('both adjoints of a convolution', () => {
    check(
      build({ ct: [N, 18, 9, 9], x: [N, 6, 9, 9] }, (b, [ct, x]) => [
        b.emit(convolutionWeightGradient, [ct!, x!], { kernel: 3, pad_low: 1, pad_high: 1 }),
      ]),
      { N: 2 },
    );
    check(
      build({ ct: [N, 32, 9, 9], w: [32, 24, 3, 3] }, (b, [ct, w]) => [
        b.emit(convolutionInputGradient, [ct!, w!], {
          pad_low: 1,
          pad_high: 1,
          spatial: [D.constant(9), D.constant(9)],
        }),
      ]),
      { N: 2 },
    );
  });
});

test('sums of either factor beside the product', () => {
  const both = (k: number | D.Dim, dims: D.DimEnv): void => {
    const arrays = check(
      build({ a: [70, k], b: [k, 44] }, (b, [x, y]) => [
        b.emit(matmul, [x!, y!]),
        B.reduceSum(b, x!, [1], false),
        B.reduceSum(b, y!, [0], false),
      ]),
      dims,
    );
    expect(arrays).toEqual(expect.arrayContaining(['left_sums', 'right_sums']));
  };
  both(96, {});
  both(N, { N: 150 });
  const layer = (size: number): Graph =>
    build({ ct: [N, 18, size, size], x: [N, 6, size, size] }, (b, [ct, x]) => [
      b.emit(convolutionWeightGradient, [ct!, x!], { kernel: 3, pad_low: 1, pad_high: 1 }),
      B.reduceSum(b, ct!, [0, 2, 3], false),
    ]);
  expect(check(layer(9), { N: 2 })).toContain('left_sums');
});

test('every block of matrices gives the same', () => {
  const graph = product([40, 48], [48, 36]);
  const target = withFactors(matrixTarget, 'rounded');
  const program = fuse(graph, target);
  const [work] = program.works;
  const all = candidates(work!, target).filter(c => c.text.startsWith('matrices'));
  expect(all.length).toBeGreaterThan(8);
  const inputs = inputsOf(graph, {});
  const expected = interpretGraph(graph, inputs, { dims: {} }).outputs.get('y0')!;
  for (const { text } of all) {
    const kernels = schedule(program, target, () => text);
    expect(kernels[0]!.kernels[0]!.subgroupSize, text).toBe(32);
    const actual = interpretProgram(program, inputs, { dims: {}, kernels }).outputs.get('y0')!;
    expect(difference(actual, expected, 1e-10), text).toBeUndefined();
  }
});

test('nothing in f32 is multiplied on matrices without being asked', () => {
  for (const target of [matrixTarget, gpuTarget]) {
    const program = fuse(product([128, 128], [128, 128]), target);
    const kernels = schedule(program, target).flatMap(s => s.kernels);
    expect(kernels.some(k => k.subgroupSize !== undefined)).toBe(false);
  }
});

test('a target without matrices has none', () => {
  const program = fuse(product([128, 128], [128, 128]), gpuTarget);
  const kernels = schedule(program, withFactors(gpuTarget, 'rounded')).flatMap(s => s.kernels);
  expect(kernels.some(k => k.subgroupSize !== undefined)).toBe(false);
});
