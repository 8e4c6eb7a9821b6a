import { describe, expect, test } from 'vitest';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { convolutionInputGradient } from '../../src/ops/convolution-input-gradient.ts';
import { convolutionWeightGradient } from '../../src/ops/convolution-weight-gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';
import { build, N } from './build.ts';

/** Runs the graph's kernels for a GPU, interpreted, against the graph; some kernel must use workgroup memory. */
function check(graph: Graph, dims: D.DimEnv = {}): void {
  const program = fuse(graph, gpuTarget);
  const kernels = schedule(program, gpuTarget);
  const all = kernels.flatMap(s => s.kernels);
  for (const k of all) expect(verifyKernel(k)).toEqual([]);
  expect(all.some(k => k.shared.length > 0)).toBe(true);
  const next = generator(11);
  const inputs: Record<string, NdArray> = {};
  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const shape = node.outputs[0].type.shape.map(d => D.evaluate(d, dims));
      inputs[node.name] = randomLike({ dtype: 'f32', shape, data: new Float64Array(size(shape)) }, next);
    }
  const expected = interpretGraph(graph, inputs, { dims });
  const actual = interpretProgram(program, inputs, { dims, kernels });
  for (const [name, e] of expected.outputs) {
    const wrong = difference(actual.outputs.get(name)!, e, 1e-10);
    if (wrong) throw new Error(`${name}: ${wrong}`);
  }
}

describe('workgroup tiles', () => {
  test('a matrix product whose sizes no block divides', () =>
    check(build({ a: [83, 45], b: [45, 50] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])])));

  test('sizes that blocks divide need no guards', () =>
    check(build({ a: [64, 64], b: [64, 64] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])])));

  test('both transposed, in a batch', () =>
    check(
      build({ a: [3, 40, 70], b: [3, 60, 40] }, (b, [x, y]) => [
        b.emit(matmul, [B.transpose(b, x!, [0, 2, 1]), B.transpose(b, y!, [0, 2, 1])]),
      ]),
    ));

  test('a convolution with padding, stride, bias and tanh, free batch', () =>
    check(
      build({ x: [N, 5, 13, 11], w: [20, 5, 3, 3], bias: [20] }, (b, [x, w, bias]) => {
        const c = b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 2, stride: 2 });
        return [b.emit(tanh, [B.add(b, c, B.reshape(b, bias!, [1, 20, 1, 1]))])];
      }),
      { N: 3 },
    ));

  test('both adjoints of a convolution, the bias gradient beside the weight gradient', () => {
    check(
      build({ ct: [N, 18, 9, 9], x: [N, 6, 9, 9] }, (b, [ct, x]) => [
        b.emit(convolutionWeightGradient, [ct!, x!], { kernel: 3, pad_low: 1, pad_high: 1 }),
        B.reduceSum(b, ct!, [0, 2, 3], false),
      ]),
      { N: 2 },
    );
    check(
      build({ ct: [N, 18, 9, 9], w: [18, 24, 3, 3] }, (b, [ct, w]) => [
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
