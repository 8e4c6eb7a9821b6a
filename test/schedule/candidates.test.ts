import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Program, Tensor, Work } from '../../src/ir/program.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { convolutionInputGradient } from '../../src/ops/convolution-input-gradient.ts';
import { convolutionWeightGradient } from '../../src/ops/convolution-weight-gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { candidates, defaultCandidate, findCandidate } from '../../src/passes/schedule/candidates.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { shapeClass } from '../../src/passes/schedule/shape-class.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';
import { matrixTarget, withFactors } from '../matrices.ts';
import { build, N } from './build.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 3);

/** Contractions of the sizes given: what blocks have to deal with. */
const contractions: Record<string, (m: number, k: number, n: number) => { graph: Graph; dims: D.DimEnv }> = {
  'a product': (m, k, n) => ({
    graph: build({ a: [m, k], b: [k, n], c: [n] }, (b, [x, y, c]) => [
      b.emit(tanh, [B.add(b, b.emit(matmul, [x!, y!]), c!)]),
    ]),
    dims: {},
  }),
  'a batch of products, both turned': (m, k, n) => ({
    graph: build({ a: [2, k, m], b: [2, n, k] }, (b, [x, y]) => [
      b.emit(matmul, [B.transpose(b, x!, [0, 2, 1]), B.transpose(b, y!, [0, 2, 1])]),
    ]),
    dims: {},
  }),
  'a factor that is computed, rows of a free number': (m, k, n) => ({
    graph: build({ a: [N, k], s: [N, k], b: [k, n] }, (b, [x, s, y]) => [
      b.emit(matmul, [B.mul(b, x!, s!), y!]),
    ]),
    dims: { N: m },
  }),
  'a convolution and its bias': (m, k, n) => ({
    graph: build({ x: [N, k, 8, 12], w: [m, k, 3, 3], bias: [m] }, (b, [x, w, bias]) => {
      const c = b.emit(convolution, [x!, w!], { pad_low: 1, pad_high: 1, stride: n % 2 === 0 ? 1 : 2 });
      return [B.add(b, c, B.reshape(b, bias!, [1, m, 1, 1]))];
    }),
    dims: { N: 2 },
  }),
  'a convolution of one point': (m, k) => ({
    graph: build({ x: [2, k, 6, 8], w: [m, k, 1, 1] }, (b, [x, w]) => [b.emit(convolution, [x!, w!])]),
    dims: {},
  }),
  'both adjoints of a convolution': (m, k) => ({
    graph: build(
      { ct: [N, m >> 1, 4, 8], x: [N, k >> 1, 4, 8], w: [m >> 1, k >> 1, 3, 3] },
      (b, [ct, x, w]) => [
        b.emit(convolutionWeightGradient, [ct!, x!], { kernel: 3, pad_low: 1, pad_high: 1 }),
        B.reduceSum(b, ct!, [0, 2, 3], false),
        b.emit(convolutionInputGradient, [ct!, w!], { pad_low: 1, pad_high: 1, spatial: [4, 8] }),
      ],
    ),
    dims: { N: 2 },
  }),
};

/** A GPU with more to give than every one has. */
const largeGpu: Target = {
  ...gpuTarget,
  name: 'a large gpu',
  maxComputeInvocationsPerWorkgroup: 512,
  maxComputeWorkgroupStorageSize: 49152,
};

/** Runs the program with every work scheduled as `choose` says, against the graph. */
function check(
  graph: Graph,
  dims: D.DimEnv,
  program: Program,
  target: Target,
  choose: (work: Program['works'][number]) => string,
): void {
  let id = 1e6;
  const temporary = (name: string, type: Tensor['type'], origin: Tensor['origin']): Tensor => ({
    id: id++,
    name,
    type,
    role: 'temporary',
    origin,
  });
  const texts: string[] = [];
  const kernels = program.works.map(work => {
    texts.push(choose(work));
    return findCandidate(work, target, texts.at(-1)!)!.make(temporary);
  });
  for (const k of kernels.flatMap(s => s.kernels)) expect(verifyKernel(k), texts.join('\n')).toEqual([]);
  const next = generator(11);
  const inputs: Record<string, NdArray> = {};
  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const shape = node.outputs[0].type.shape.map(d => D.evaluate(d, dims));
      inputs[node.name] = randomLike({ dtype: 'f32', shape, data: new Float64Array(size(shape)) }, next);
    }
  const expected = interpretGraph(graph, inputs, { dims });
  let actual: ReturnType<typeof interpretProgram>;
  try {
    actual = interpretProgram(program, inputs, { dims, kernels });
  } catch (error) {
    throw new Error(`${texts.join('\n')}: ${(error as Error).message}`);
  }
  for (const [name, e] of expected.outputs) {
    const wrong = difference(actual.outputs.get(name)!, e, 1e-10);
    if (wrong) throw new Error(`${texts.join('\n')}: ${name}: ${wrong}`);
  }
}

describe.each([largeGpu, gpuTarget, softwareTarget, subgroupTarget, wasmTarget])('for $name', target => {
  test.each(Object.entries(contractions))(
    'every schedule of %s gives the same',
    (_, make) => {
      // Multiples of 4 for vectors, and what no block divides.
      const extent = fc.oneof(
        fc.integer({ min: 2, max: 8 }).map(n => 4 * n),
        fc.integer({ min: 5, max: 33 }),
      );
      fc.assert(
        fc.property(extent, extent, extent, fc.integer({ min: 0, max: 2 ** 30 }), (m, k, n, pick) => {
          const { graph, dims } = make(m, k, n);
          const program = fuse(graph, target);
          check(graph, dims, program, target, work => {
            const all = candidates(work, target);
            return all[pick % all.length]!.text;
          });
        }),
        { seed, numRuns: target.kind === 'gpu' ? 2 * numRuns : numRuns },
      );
    },
    240_000,
  );
});

describe('blocks for workgroups', () => {
  const product = (m: number, k: number, n: number): Graph =>
    build({ a: [m, k], b: [k, n] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])]);
  const texts = (graph: Graph, target: Target = gpuTarget): string[] =>
    candidates(fuse(graph, target).works[0]!, target).map(c => c.text);

  test.each([
    'workgroup 64x64x16 block 4x4',
    'workgroup 64x64x16 block 4x4 vectors',
    'workgroup 64x64x16 block 4x4 vectors ahead',
    'workgroup 128x128x8 block 8x8 vectors pad',
    'workgroup 32x32x32 block 4x4 pad',
    'workgroup 32x32x16 block 2x2 ahead',
    'workgroup 64x64x8 block 8x8 vectors ahead split 2',
  ])('%s', text => {
    const graph = product(96, 256, 68);
    check(graph, {}, fuse(graph, gpuTarget), gpuTarget, () => text);
  });

  test('the space is wide, and larger where there is more workgroup memory', () => {
    const usual = texts(product(512, 512, 512));
    const large = texts(product(512, 512, 512), largeGpu);
    const wanted = 'workgroup 128x128x16 block 8x8 vectors ahead pad';
    expect(usual).not.toContain(wanted);
    expect(large).toContain(wanted);
    expect(usual.filter(t => t.startsWith('workgroup')).length).toBeGreaterThan(500);
  });

  test('memory is read in vectors where they lie at multiples of 4, and only there', () => {
    const inVectors = (m: number, k: number, n: number): string[] => {
      const [work] = fuse(product(m, k, n), gpuTarget).works;
      const made = findCandidate(work!, gpuTarget, 'workgroup 64x64x16 block 4x4 vectors')!;
      const [kernel] = made.make(() => {
        throw new Error('nothing is temporary');
      }).kernels;
      return kernel!.buffers.filter(b => b.vectors).map(b => b.name);
    };
    expect(inVectors(64, 64, 64)).toEqual(['a', 'b']);
    expect(inVectors(64, 63, 64)).toEqual(['b']);
    expect(inVectors(64, 64, 62)).toEqual(['a']);
  });

  test('what is not legal is not found', () => {
    const [work] = fuse(product(512, 512, 512), gpuTarget).works;
    for (const text of [
      'workgroup 128x128x16 block 8x8 vectors ahead pad',
      'workgroup 64x64x16 block 3x4',
      'workgroup 64x64x16 block 4x4 vectors ahead and more',
      'vectors 4x4',
      'nothing of the kind',
      '',
    ])
      expect(findCandidate(work!, gpuTarget, text)).toBeUndefined();
  });
});

describe('a table of measured schedules', () => {
  const graph = build({ a: [64, 64], b: [64, 64] }, (b, [x, y]) => [b.emit(matmul, [x!, y!])]);
  const program = fuse(graph, gpuTarget);
  const [work] = program.works;

  test('goes before estimates; what is not legal for the work is ignored', () => {
    const other = candidates(work!, gpuTarget)
      .slice(1)
      .find(c => c.text.includes(' ahead'))!;
    const usual = schedule(program, gpuTarget);
    const asked: string[] = [];
    const tuned = schedule(program, gpuTarget, shape => {
      asked.push(shape.exact);
      return other.text;
    });
    expect(asked).toEqual([shapeClass(work!, gpuTarget).exact]);
    expect(tuned[0]!.kernels[0]!.body).not.toEqual(usual[0]!.kernels[0]!.body);
    expect(schedule(program, gpuTarget, () => 'workgroup 7x7x7 block 1x1')).toEqual(usual);
  });

  test('what matrix units may make of factors in f32 is part of the class, and of no other class', () => {
    const [rounded, split] = (['rounded', 'split'] as const).map(how => withFactors(matrixTarget, how));
    const exact = (of: Work, target: Target): string => shapeClass(of, target).exact;
    expect(exact(work!, matrixTarget)).toBe(exact(work!, gpuTarget));
    expect(exact(work!, rounded!)).toBe(`${exact(work!, gpuTarget)}, factors rounded`);
    expect(exact(work!, split!)).toBe(`${exact(work!, gpuTarget)}, factors split`);
    const [sums] = fuse(
      build({ a: [64, 64] }, (b, [x]) => [B.reduceSum(b, x!, [1])]),
      gpuTarget,
    ).works;
    expect(exact(sums!, split!)).toBe(exact(sums!, gpuTarget));
  });

  test('the default is one of the candidates by its text, for every target', () => {
    for (const target of [gpuTarget, softwareTarget, subgroupTarget, wasmTarget])
      for (const make of Object.values(contractions))
        for (const w of fuse(make(24, 20, 18).graph, target).works) {
          const usual = defaultCandidate(w, target);
          expect(findCandidate(w, target, usual.text)?.text).toBe(usual.text);
        }
  });
});
