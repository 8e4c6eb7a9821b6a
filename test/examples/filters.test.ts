import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ndarray, size, zeros } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { generator } from '../arbitrary/numbers.ts';
import { exampleNet } from './net.ts';

// Widths of 3: `const`s of the example, which a filter that is fed has.
const full1 = exampleNet('filters', 'Full1');
const full2 = exampleNet('filters', 'Full2');
const toeplitz1 = exampleNet('filters', 'Toeplitz1');
const toeplitz2 = exampleNet('filters', 'Toeplitz2');
const ring = exampleNet('filters', 'Ring');

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const sides = fc.integer({ min: 3, max: 9 });

function noise(shape: readonly number[], seed: number): NdArray {
  const next = generator(seed);
  return ndarray('f32', shape, Float64Array.from({ length: size(shape) }, next));
}

function expectClose(actual: NdArray, expected: NdArray, within = 1e-12): void {
  expect(actual.shape).toEqual(expected.shape);
  const apart = actual.data.map((v, i) => Math.abs(v - expected.data[i]!));
  expect(Math.max(...apart)).toBeLessThan(within);
}

/** Every pixel of x leaves a copy of the filter: y[i + k, j + l] is the sum of x[i, j] w[k, l]. */
function spread(x: NdArray, w: NdArray): NdArray {
  const [n, h, v] = x.shape as [number, number, number];
  const [k, l] = w.shape as [number, number];
  const y = zeros('f32', [n, h + k - 1, v + l - 1]);
  for (let at = 0; at < x.data.length; at++)
    for (let of = 0; of < w.data.length; of++) {
      const row = (Math.floor(at / v) % h) + Math.floor(of / l);
      const column = (at % v) + (of % l);
      const image = Math.floor(at / v / h);
      (y.data as Float64Array)[(image * (h + k - 1) + row) * (v + l - 1) + column]! +=
        x.data[at]! * w.data[of]!;
    }
  return y;
}

const reshaped = (x: NdArray, shape: readonly number[]): NdArray => ({ ...x, shape });

test('full convolution in one dimension is its definition, and a product with a Toeplitz matrix', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), seeds, (length, seed) => {
      const inputs = { x: noise([2, length], seed), w: noise([3], seed + 1) };
      const expected = spread(reshaped(inputs.x, [2, 1, length]), reshaped(inputs.w, [1, 3]));
      const flat = reshaped(expected, [2, length + 2]);
      expectClose(full1.predict(inputs).out!, flat);
      const { y, matrix } = toeplitz1.predict(inputs);
      expectClose(y!, flat);
      // Constant along its diagonals.
      for (let i = length + 1; i < matrix!.data.length; i++)
        if (i % length > 0) expect(matrix!.data[i]).toBe(matrix!.data[i - length - 1]);
    }),
  );
});

test('full convolution in two dimensions is its definition, and a product with a Toeplitz matrix', () => {
  fc.assert(
    fc.property(sides, sides, seeds, (height, width, seed) => {
      const inputs = { x: noise([2, height, width], seed), w: noise([3, 3], seed + 1) };
      const expected = spread(inputs.x, inputs.w);
      expectClose(full2.predict(inputs).out!, expected);
      expectClose(toeplitz2.predict(inputs).y!, expected);
    }),
    { numRuns: 30 },
  );
});

test('true convolution commutes: signal and filter may change places', () => {
  fc.assert(
    fc.property(seeds, seed => {
      const [a, b] = [noise([3], seed), noise([3], seed + 1)];
      const once = full1.predict({ x: reshaped(a, [1, 3]), w: b }).out!;
      expectClose(full1.predict({ x: reshaped(b, [1, 3]), w: a }).out!, once);
    }),
  );
});

test('a picture that is moved on a ring gives the same result, moved', () => {
  const roll = ({ shape, data }: NdArray, down: number, right: number): NdArray => {
    const [, , h, w] = shape as [number, number, number, number];
    const y = zeros('f32', shape);
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        (y.data as Float64Array)[((i + down) % h) * w + ((j + right) % w)] = data[i * w + j]!;
    return y;
  };
  fc.assert(
    fc.property(sides, sides, fc.nat(9), fc.nat(9), seeds, (h, v, down, right, seed) => {
      const [x, w] = [noise([1, 1, h, v], seed), noise([3, 3], seed + 1)];
      const after = roll(ring.predict({ x, w }).out!, down, right);
      expectClose(ring.predict({ x: roll(x, down, right), w }).out!, after);
    }),
    { numRuns: 50 },
  );
});

test('low-pass keeps what is even, high-pass takes it away, and edges are where the picture changes', () => {
  const [height, width] = [8, 10];
  const flat = ndarray('f32', [1, 1, height, width], new Float64Array(80).fill(0.7));
  // Weights such as 1 / 9 are f32.
  expectClose(exampleNet('filters', 'LowPass').predict({ x: flat }).out!, flat, 1e-7);
  expectClose(exampleNet('filters', 'Gaussian').predict({ x: flat }).out!, flat, 1e-7);
  expectClose(exampleNet('filters', 'HighPass').predict({ x: flat }).out!, zeros('f32', flat.shape), 1e-7);
  const step = ndarray(
    'f32',
    flat.shape,
    Float64Array.from({ length: 80 }, (_, i) => (i % width < 5 ? 0 : 1)),
  );
  const edges = exampleNet('filters', 'Edges').predict({ x: step }).out!;
  // A step of 1 between columns 4 and 5: Sobel's filter, whose weights on one side sum to 4, sees it from both.
  const columns = Array.from({ length: width }, (_, j) => edges.data[3 * width + j]!);
  expect(columns).toEqual([0, 0, 0, 0, 4, 4, 0, 0, 0, 0]);
});
