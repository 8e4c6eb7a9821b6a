import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { compileText, deviceBackend } from '../torch/run.ts';
import { f32, i32, interpret, moduleOf } from './helpers.ts';
import { near } from './library.ts';

/** What PyTorch 1.13 answers in double precision to the inputs below. */
const answers = JSON.parse(
  readFileSync(new URL('../cases/answers/ctc-and-scatter.json', import.meta.url), 'utf8'),
);
const device = await getDevice();

const labels = i32([3, 3], [1, 1, 2, 3, 0, 0, 2, 3, 2]);
const [lengths, counts] = [i32([3], [6, 4, 5]), i32([3], [3, 1, 0])];
const x = f32([6, 3, 4], answers.ctc.x);
const inputs = { x, labels, lengths, counts };

const ctcText = (options: string, result: string, weight: string): string => `
net Case(x: f32[T, N, 4], labels: i32[N, S], lengths: i32[N], counts: i32[N]) -> (loss: ${result}, grad: f32[T, N, 4]) {
  loss = ctc(log_softmax(x, axis = 2), labels, lengths, counts${options})
  return loss, grad(sum(loss * ${weight}), x)
}`;

describe('ctc', () => {
  test.each<[string, string, string]>([
    ['mean', 'f32', '1'],
    ['sum', 'f32', '1'],
    ['none', 'f32[N]', 'cast(1 + iota(N), f32)'],
  ])('reduction = %s, against PyTorch', async (reduction, result, weight) => {
    const want = answers.ctc.cases.find((c: { reduction: string }) => c.reduction === reduction);
    const text = ctcText(`, reduction = "${reduction}"`, result, weight);
    const { loss, grad } = interpret(moduleOf(text).nets[0]!.predict, inputs);
    near(loss!, want.loss, 6);
    near(grad!, want.grad, 6);
    if (!device) return;
    for (const target of [softwareTarget, gpuTarget]) {
      const got = await deviceBackend(device, target).net(compileText('ctc', text, target), inputs);
      near([...got.loss!.data], want.loss, 4);
      near([...got.grad!.data], want.grad, 4);
    }
  });

  test('labels that do not fit', () => {
    const text = ctcText(', reduction = "none", zero_infinity = true', 'f32[N]', '1');
    const short = { ...inputs, lengths: i32([3], [3, 4, 5]) };
    const { loss, grad } = interpret(moduleOf(text).nets[0]!.predict, short);
    near(loss!, answers.impossible.loss, 6);
    near(grad!, answers.impossible.grad, 6);
    const plain = ctcText(', reduction = "none"', 'f32[N]', '1');
    const all = interpret(moduleOf(plain).nets[0]!.predict, short);
    expect(all.loss![0]).toBeGreaterThan(1e29);
    expect(all.grad!.every(Number.isFinite)).toBe(true);
  });
});

describe('scatter_reduce', () => {
  const at = i32([2, 5], [0, 2, 2, 0, 2, 3, 3, 1, 1, 1]);
  const from = f32([2, 5], [1, 5, -2, 1, 5, 2, -3, 0, 7, 7]);
  interface Answer {
    readonly reduce: string;
    readonly self: boolean;
    /** Without a tie where it does not count: PyTorch lets it take part in the gradient. */
    readonly own: number[];
    readonly y: number[];
    readonly x: number[];
    readonly src: number[];
  }
  test.each<Answer>(answers.scatter)('$reduce, include_self = $self, against PyTorch', async want => {
    const text = `
net Case(x: f32[N, 4], at: i32[N, J], from: f32[N, J]) -> (y: f32[N, 4], gx: f32[N, 4], gf: f32[N, J]) {
  y = scatter_reduce(x, 1, at, from, reduce = "${want.reduce}", include_self = ${want.self})
  loss = sum(y * cast(1 + reshape(iota(8), 2, 4)[0:1] + 4 * iota(N, 4, axis = 0), f32))
  return y, grad(loss, x), grad(loss, from)
}`;
    const given = { x: f32([2, 4], want.own), at, from };
    const got = interpret(moduleOf(text).nets[0]!.predict, given);
    near(got.y!, want.y, 6);
    near(got.gx!, want.x, 6);
    near(got.gf!, want.src, 6);
    if (!device) return;
    for (const target of [softwareTarget, gpuTarget]) {
      const found = await deviceBackend(device, target).net(compileText('scatter', text, target), given);
      near([...found.y!.data], want.y, 4);
      near([...found.gf!.data], want.src, 4);
    }
  });
});
