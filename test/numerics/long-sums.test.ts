import { describe, expect, test, vi } from 'vitest';
import { open } from '../../runtime/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { Kernel, Stmt } from '../../src/ir/kernel.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { generator } from '../arbitrary/numbers.ts';
import { getDevice } from '../gpu.ts';

vi.setConfig({ testTimeout: 300_000 });

const device = await getDevice();

type Inputs = Readonly<Record<string, { readonly data: Float32Array; readonly shape: readonly number[] }>>;

function compileNet(text: string, target: Target) {
  const { compiled, entries, diagnostics } = compile(
    { name: 'sums.dnn', text },
    { target, only: n => n === 'P' },
  );
  if (!compiled) throw new Error(diagnostics.map(d => d.message).join('\n'));
  return { compiled, model: buildModel(entries![0]!, compiled.layout), program: compiled.programs.get('P')! };
}

async function onDevice(
  text: string,
  inputs: Inputs,
  target: Target,
): Promise<Record<string, ArrayLike<number>>> {
  const session = await open(compileNet(text, target).model, { device: device! });
  const outputs = await session.run('predict', inputs);
  session.dispose();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
}

const next = generator(1);
/** Nearly normal, mean 0 and standard deviation 1. */
const normal = (): number => Array.from({ length: 12 }, next).reduce((a, b) => a + b) / 2;
const fill = (n: number, value: () => number): Float32Array => Float32Array.from({ length: n }, value);

const million = 1_000_000;
const far = fill(million, () => 1e4 + normal());
const signed = fill(million, () => 100 * normal());
const logits = fill(million, () => 1e4 * next());

const sumOf = (list: ArrayLike<number>, f = (x: number) => x): number => {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += f(list[i]!);
  return sum;
};

/** Sums of a million numbers in f64. */
function statistics(data: Float32Array) {
  const mean = sumOf(data) / data.length;
  const top = data.reduce((a, b) => Math.max(a, b));
  return {
    sum: sumOf(data),
    mean,
    variance: sumOf(data, x => (x - mean) ** 2) / data.length,
    square: sumOf(data, x => x * x),
    log: top + Math.log(sumOf(data, x => Math.exp(x - top))),
    /** What errors of the sum are measured by. */
    size: sumOf(data, Math.abs),
  };
}

const targets = [softwareTarget, subgroupTarget, gpuTarget, wasmTarget];
/** A size that is known when kernels are chosen, which splits long sums, and one that is not. */
const extents = ['N', String(million)];

describe.skipIf(!device).each(targets.flatMap(target => extents.map(extent => ({ target, extent }))))(
  'a million terms, schedules for $target.name, size $extent',
  ({ target, extent }) => {
    const text = `net P(x: f32[${extent}]) -> (sum: f32, mean: f32, variance: f32, square: f32, log: f32) {
  return sum(x), mean(x), variance(x), sum(x ^ 2), log_sum_exp(x)
}
`;
    test.each([
      ['of mean 10^4', far],
      ['of both signs', signed],
      ['of logits to 10^4', logits],
    ])('%s', async (_, data) => {
      const found = await onDevice(text, { x: { data, shape: [million] } }, target);
      const wanted = statistics(data);
      expect(Math.abs(found.sum![0]! - wanted.sum)).toBeLessThan(1e-6 * wanted.size);
      expect(Math.abs(found.mean![0]! - wanted.mean)).toBeLessThan((1e-6 * wanted.size) / million);
      expect(Math.abs(found.square![0]! - wanted.square)).toBeLessThan(1e-6 * wanted.square);
      expect(Math.abs(found.log![0]! - wanted.log)).toBeLessThan(1e-6 * Math.abs(wanted.log));
      // No cancellation: the mean is far larger than what the variance measures.
      expect(Math.abs(found.variance![0]! - wanted.variance)).toBeLessThan(3e-6 * wanted.variance);
    });
  },
);

describe.skipIf(!device).each(targets)('over a million of them, schedules for $name', target => {
  test.each(extents.map(k => (k === 'N' ? 'K' : k)))('a matrix product with K = 10^6 (%s)', async k => {
    const [a, b] = [
      fill(2 * million, () => 0.1 + Math.abs(next())),
      fill(2 * million, () => 0.1 + Math.abs(next())),
    ];
    const text = `net P(a: f32[2, ${k}], b: f32[${k}, 2]) -> (y: f32[2, 2]) {\n  return a @ b\n}\n`;
    const inputs = { a: { data: a, shape: [2, million] }, b: { data: b, shape: [million, 2] } };
    const { y } = await onDevice(text, inputs, target);
    const wanted = [0, 1, 2, 3].map(i => {
      let sum = 0;
      for (let n = 0; n < million; n++) sum += a[(i >> 1) * million + n]! * b[2 * n + (i & 1)]!;
      return sum;
    });
    for (const [i, w] of wanted.entries()) expect(Math.abs(y![i]! - w)).toBeLessThan(1e-6 * w);
  });

  test('blocks in workgroup memory, over a length that is free', async () => {
    const [m, k] = [32, 30_000];
    const [a, b] = [fill(m * k, () => 1 + 0.1 * next()), fill(m * k, () => 1 + 0.1 * next())];
    const text = `net P(a: f32[32, K], b: f32[K, 32]) -> (y: f32[32, 32]) {\n  return a @ b\n}\n`;
    const { y } = await onDevice(
      text,
      { a: { data: a, shape: [m, k] }, b: { data: b, shape: [k, m] } },
      target,
    );
    for (const at of [0, 37, 1023]) {
      let sum = 0;
      for (let n = 0; n < k; n++) sum += a[Math.floor(at / m) * k + n]! * b[n * m + (at % m)]!;
      expect(Math.abs(y![at]! - sum)).toBeLessThan(1e-6 * sum);
    }
  });

  test('statistics of a batch norm', async () => {
    const text = `net P(x: f32[N, 2, H, H]) -> (mean: f32[2], variance: f32[2]) {
  center = mean(x, axis = [0, 2, 3], keep = true)
  return mean(x, axis = [0, 2, 3]), mean((x - center) ^ 2, axis = [0, 2, 3])
}
`;
    const found = await onDevice(text, { x: { data: far, shape: [8, 2, 250, 250] } }, target);
    for (const channel of [0, 1]) {
      const own = far.filter((_, i) => Math.floor(i / 62_500) % 2 === channel);
      const { mean, variance } = statistics(own);
      expect(Math.abs(found.mean![channel]! - mean)).toBeLessThan(1e-6 * mean);
      expect(Math.abs(found.variance![channel]! - variance)).toBeLessThan(3e-6 * variance);
    }
  });

  test('a cross entropy and a softmax over a hundred thousand classes', async () => {
    const classes = 100_000;
    const data = logits.subarray(0, 2 * classes);
    const text = `net P(x: f32[N, C]) -> (loss: f32[N], total: f32[N]) {
  return -log_softmax(x)[:, 0], sum(softmax(x), axis = 1)
}
`;
    const { loss, total } = await onDevice(text, { x: { data, shape: [2, classes] } }, target);
    for (const row of [0, 1]) {
      const own = data.subarray(row * classes, (row + 1) * classes);
      const wanted = statistics(own).log - own[0]!;
      expect(Math.abs(loss![row]! - wanted)).toBeLessThan(1e-6 * Math.abs(wanted) + 1e-6);
      expect(total![row]!).toBeCloseTo(1, 5);
    }
  });
});

describe.each(targets)('kernels in f32 on the interpreter, schedules for $name', target => {
  test.each(['N', '100000'])('a hundred thousand terms of mean 10^4, size %s', extent => {
    const n = 100_000;
    const text = `net P(x: f32[${extent}]) -> (mean: f32, variance: f32) {\n  return mean(x), variance(x)\n}\n`;
    const { program } = compileNet(text, target);
    const data = far.subarray(0, n);
    const { outputs } = interpretProgram(
      program.program,
      { x: ndarray('f32', [n], [...data]) },
      { dims: { N: n }, precision: 'f32', kernels: program.scheduled },
    );
    const wanted = statistics(data);
    expect(Math.abs(outputs.get('mean')!.data[0]! - wanted.mean)).toBeLessThan(2e-7 * wanted.mean);
    expect(Math.abs(outputs.get('variance')!.data[0]! - wanted.variance)).toBeLessThan(
      3e-6 * wanted.variance,
    );
  });
});

describe('the loops of a sum', () => {
  const loops = (body: readonly Stmt[]): number =>
    body.reduce(
      (n, s) => n + (s.kind === 'for' ? 1 + loops(s.body) : s.kind === 'if' ? loops(s.then) : 0),
      0,
    );
  const kernels = (shape: string, axis: string): readonly Kernel[] =>
    compileNet(
      `net P(x: f32[${shape}]) -> f32[...] {\n  return sum(x, axis = ${axis})\n}\n`,
      softwareTarget,
    ).program.scheduled.flatMap(s => s.kernels);

  test('short ones are one loop; long and free ones are blocks of blocks', () => {
    expect(kernels('4096, 600', '1').map(k => loops(k.body))).toEqual([1]);
    expect(kernels('4096, 3000', '1').map(k => loops(k.body))).toEqual([2]);
    expect(kernels('4096, K', '1').map(k => loops(k.body))).toEqual([3]);
  });

  test('several axes: the inner loop is a block where it is long enough', () => {
    expect(kernels('256, 300, 300', '[1, 2]').map(k => loops(k.body))).toEqual([3]);
  });

  test('integers, which lose nothing, are summed in one loop', () => {
    const { program } = compileNet(
      `net P(x: i32[4096, K]) -> i32[4096] {\n  return sum(x, axis = 1)\n}\n`,
      softwareTarget,
    );
    expect(program.scheduled.flatMap(s => s.kernels).map(k => loops(k.body))).toEqual([1]);
  });
});
