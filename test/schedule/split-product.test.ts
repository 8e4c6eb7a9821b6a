import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { MatrixFactors } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { generator } from '../arbitrary/numbers.ts';
import { matrixTarget, withFactors } from '../matrices.ts';

const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 4);

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function product({ m, n, k }: Sizes): Graph {
  const b = new GraphBuilder('g');
  const x = b.input('input', 'a', tensor('f32', [m, k]));
  const y = b.input('input', 'b', tensor('f32', [k, n]));
  b.output({ name: 'c', role: 'result', value: b.emit(matmul, [x, y]) });
  return b.build();
}

/** Rows (or columns) of very different sizes, of numbers that differ as much. */
function factor(
  shape: readonly [number, number],
  scales: 'rows' | 'columns',
  spread: number,
  from: number,
): NdArray {
  const next = generator(from);
  const [rows, columns] = shape;
  const own = Array.from({ length: Math.max(...shape) }, () => 2 ** Math.round(next() * spread));
  const data = Float64Array.from({ length: rows * columns }, (_, i) => {
    const scale = own[scales === 'rows' ? Math.floor(i / columns) : i % columns]!;
    return Math.fround(scale * next() * 2 ** Math.round(next() * 12));
  });
  return { dtype: 'f32', shape: [...shape], data };
}

function run(sizes: Sizes, a: NdArray, b: NdArray, factors: MatrixFactors): NdArray {
  const program = fuse(product(sizes), matrixTarget);
  const kernels = schedule(program, withFactors(matrixTarget, factors));
  for (const k of kernels.flatMap(s => s.kernels)) expect(verifyKernel(k)).toEqual([]);
  const how = { dims: {}, precision: 'f32' as const, kernels };
  return interpretProgram(program, { a, b }, how).outputs.get('c')!;
}

/**
 * The largest error as a multiple of what decision 19 allows: of each product 2^-20, of the largest of row and column
 * 2^-36, of the sum in f32 2^-24 for every term.
 */
function excess({ m, n, k }: Sizes, a: NdArray, b: NdArray, c: NdArray): number {
  let worst = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let [exact, all, mostA, mostB] = [0, 0, 0, 0];
      for (let l = 0; l < k; l++) {
        const [x, y] = [a.data[i * k + l]!, b.data[l * n + j]!];
        exact += x * y;
        all += Math.abs(x * y);
        mostA = Math.max(mostA, Math.abs(x));
        mostB = Math.max(mostB, Math.abs(y));
      }
      const allowed = (2 ** -20 + k * 2 ** -24) * all + k * 2 ** -36 * mostA * mostB;
      const error = Math.abs(c.data[i * n + j]! - exact);
      if (error !== 0) worst = Math.max(worst, error / allowed);
      if (Number.isNaN(error)) return Number.NaN;
    }
  return worst;
}

test('a product in two halves keeps within its bound, whatever the size of rows and columns', () => {
  const extent = fc.integer({ min: 32, max: 70 });
  const sizes = fc.record({ m: extent, n: extent, k: fc.integer({ min: 60, max: 140 }) });
  const wide = sizes.filter(({ m, n, k }) => m * n * k >= 2 ** 17);
  fc.assert(
    fc.property(wide, fc.integer({ min: 0, max: 40 }), fc.nat(), (s, spread, start) => {
      const a = factor([s.m, s.k], 'rows', spread, start);
      const b = factor([s.k, s.n], 'columns', spread, start + 1);
      expect(excess(s, a, b, run(s, a, b, 'split'))).toBeLessThan(1);
    }),
    { seed, numRuns },
  );
});

test('rounding to f16 alone does not', () => {
  const s = { m: 64, n: 64, k: 64 };
  const [a, b] = [factor([64, 64], 'rows', 0, 1), factor([64, 64], 'columns', 0, 2)];
  expect(excess(s, a, b, run(s, a, b, 'rounded'))).toBeGreaterThan(10);
  expect(excess(s, a, b, run(s, a, b, 'split'))).toBeLessThan(1);
});

test('zeros, and numbers near the ends of the range', () => {
  const s = { m: 64, n: 64, k: 64 };
  const row = (values: readonly number[]): NdArray => ({
    dtype: 'f32',
    shape: [64, 64],
    data: Float64Array.from({ length: 64 * 64 }, (_, i) =>
      Math.fround(values[Math.floor(i / 64) % values.length]!),
    ),
  });
  const a = row([0, 1e-38, 1e30, -(2 ** 100), 1, -65504, 7e-6]);
  const b = row([1e-3, 0, -1e-6, 1]);
  expect(excess(s, a, b, run(s, a, b, 'split'))).toBeLessThan(1);
});
