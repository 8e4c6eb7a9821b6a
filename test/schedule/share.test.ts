import { describe, expect, test } from 'vitest';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { Stmt } from '../../src/ir/kernel.ts';
import { size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { softwareTarget, subgroupTarget, type Target } from '../../src/ir/target.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { convolutionInputGradient } from '../../src/ops/convolution-input-gradient.ts';
import { convolutionWeightGradient } from '../../src/ops/convolution-weight-gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { joinAxes } from '../../src/passes/join-axes.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { dropUnitAxes } from '../../src/passes/unit-axes.ts';
import { winograd } from '../../src/passes/winograd/index.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';
import { build, N } from './build.ts';

const handsOver = (body: readonly Stmt[]): boolean =>
  body.some(s => s.kind === 'subgroup' || (s.kind === 'for' && handsOver(s.body)));

interface How {
  readonly target?: Target;
  readonly dims?: D.DimEnv;
  readonly arrange?: boolean;
}

/** Runs the graph's kernels, interpreted, against the graph; gives the works and whether lanes share loads. */
function check(graph: Graph, { target = subgroupTarget, dims = {}, arrange = true }: How = {}) {
  const fused = fuse(graph, target);
  const program = arrange ? joinAxes(winograd(dropUnitAxes(fused), target)) : fused;
  const kernels = schedule(program, target);
  const all = kernels.flatMap(s => s.kernels);
  for (const k of all) expect(verifyKernel(k)).toEqual([]);
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
  return { works: program.works.map(w => w.name), shares: all.some(k => handsOver(k.body)) };
}

describe('loads that lanes share', () => {
  test('a matrix product whose sizes no tile divides', () => {
    const product = (m: number, k: number, n: number): Graph =>
      build({ a: [m, k], b: [k, n] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])]);
    expect(check(product(83, 44, 50)).shares).toBe(true);
    expect(check(product(83, 44, 50), { target: softwareTarget }).shares).toBe(false);
  });

  test('rows of a free number, which lanes stand for, and columns that they share', () => {
    const graph = build({ a: [N, 24], b: [24, 40] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])]);
    for (const n of [1, 3, 4, 7]) expect(check(graph, { dims: { N: n } }).shares).toBe(true);
  });

  test('a convolution with padding, bias and stride', () => {
    for (const stride of [1, 2])
      expect(
        check(
          build({ x: [N, 5, 13, 11], w: [20, 5, 3, 3], bias: [20] }, (b, [x, w, bias]) => {
            const c = b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 2, stride });
            return [B.add(b, c, B.reshape(b, bias!, [1, 20, 1, 1]))];
          }),
          { dims: { N: 3 } },
        ).shares,
      ).toBe(true);
  });

  test('both adjoints of a convolution with stride', () => {
    const adjoints = build({ ct: [N, 18, 8, 8], x: [N, 8, 16, 16], w: [18, 8, 3, 3] }, (b, [ct, x, w]) => [
      b.emit(convolutionWeightGradient, [ct!, x!], { kernel: 3, pad_low: 1, pad_high: 0, stride: 2 }),
      b.emit(convolutionInputGradient, [ct!, w!], { spatial: [16, 16], pad_low: 1, pad_high: 0, stride: 2 }),
    ]);
    expect(check(adjoints, { dims: { N: 2 } }).shares).toBe(true);
  });
});

describe('Winograd transforms for software adapters', () => {
  const net = (channels: number): Graph =>
    build({ x: [1, channels, 18, 22], w: [32, channels, 3, 3], bias: [32] }, (b, [x, w, bias]) => {
      const c = b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 1 });
      return [B.add(b, c, B.reshape(b, bias!, [1, 32, 1, 1]))];
    });
  const isTransformed = (works: readonly string[]): boolean => works.some(w => w.endsWith('_products'));

  test('where channels are many, tiles at the end overlapping', () => {
    expect(isTransformed(check(net(64)).works)).toBe(true);
    expect(isTransformed(check(net(64), { target: softwareTarget }).works)).toBe(true);
  });

  test('not where they are few', () => expect(isTransformed(check(net(1)).works)).toBe(false));
});
