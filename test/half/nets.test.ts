import { describe, expect, test, vi } from 'vitest';
import { ndarray } from '../../src/ir/ndarray.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { generator } from '../arbitrary/numbers.ts';
import { matrixTarget } from '../matrices.ts';
import { lenet, lstm, mlp, resnet } from './nets.ts';
import { type Arrays, distance, exact, type How, half, Interpreted } from './run.ts';

vi.setConfig({ testTimeout: 300_000 });

/** What docs/language.md promises, of the largest output. */
const tolerance = 0.005;

interface Case {
  readonly name: string;
  readonly source: string;
  readonly net: string;
  readonly shape: readonly number[];
  readonly classes: number;
}

const cases: readonly Case[] = [
  { name: 'MLP', source: mlp, net: 'Mlp', shape: [8, 32], classes: 10 },
  { name: 'LeNet', source: lenet, net: 'LeNet', shape: [4, 1, 12, 12], classes: 10 },
  { name: 'ResNet', source: resnet, net: 'Small', shape: [4, 3, 6, 6], classes: 5 },
  { name: 'LSTM', source: lstm, net: 'Reader', shape: [4, 12, 6], classes: 4 },
];

function batchOf({ shape, classes }: Case): Arrays {
  const next = generator(5);
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.fround(next()));
  const y = Array.from({ length: shape[0]! }, (_, i) => i % classes);
  return { x: ndarray('f32', shape, data), y: ndarray('i32', [shape[0]!], y) };
}

/** The outputs of a net as it is initialised; `halves` counts what it keeps in f16. */
function forward(c: Case, how: How) {
  const net = new Interpreted({ name: `${c.name}.dnn`, text: c.source }, how, {
    only: name => name === c.net || name === `${c.net}.init`,
  });
  net.run(`${c.net}.init`);
  const { x } = batchOf(c);
  const out = Object.values(net.run(c.net, { x: x! }))[0]!;
  const { program } = net.program(c.net);
  return { out, halves: program.tensors.filter(t => t.type.dtype === 'f16') };
}

function losses(c: Case, how: How, steps = 30): number[] {
  const train = new Interpreted({ name: `${c.name}.dnn`, text: c.source }, how, {
    only: name => name === 'fit.step' || name === 'fit.init',
  });
  train.run('fit.init');
  const batch = batchOf(c);
  return Array.from(
    { length: steps },
    (_, i) => train.run('fit.step', batch, { iter: i, step: i, epoch: 0 }).loss!.data[0]!,
  );
}

describe.each(cases)('$name in half precision', c => {
  test('keeps to its tolerance', () => {
    const expected = forward(c, exact);
    const actual = forward(c, half);
    expect(expected.halves).toEqual([]);
    expect(actual.halves.filter(t => t.role === 'param').length).toBeGreaterThan(1);
    expect(actual.halves.filter(t => t.role === 'temporary').length).toBeGreaterThan(0);
    const gap = distance(actual.out, expected.out);
    expect(gap).toBeLessThan(tolerance);
    // It does round.
    expect(gap).toBeGreaterThan(1e-6);
  });

  test.each([undefined, softwareTarget, matrixTarget])('kernels compute what works do', target => {
    const works = forward(c, half);
    const kernels = forward(c, { ...half, kernels: true, ...(target && { target }) });
    expect(distance(kernels.out, works.out)).toBeLessThan(2e-3);
  });

  test('halves its loss in 30 steps, as in f64', () => {
    const expected = losses(c, exact);
    const actual = losses(c, half);
    expect(actual.at(-1)).toBeLessThan(actual[0]! / 2);
    expect(Math.abs(actual[0]! - expected[0]!)).toBeLessThan(0.01 * expected[0]!);
    expect(Math.abs(actual.at(-1)! - expected.at(-1)!)).toBeLessThan(0.05 * expected[0]!);
  });
});

test('gradients that f16 cannot hold arrive all the same', () => {
  const text = `net Deep(x: f32[N, 8]) -> f32[N, 4] {
  return x -> first: dense(32) -> relu -> dense(4)
}

train fit {
  data x: f32[N, 8]
  minimize 1e-6 * mean(Deep(x) ^ 2) over Deep by sgd(lr = 1)
}
`;
  const x = ndarray('f32', [8, 8], Array.from({ length: 64 }, generator(2)));
  const moved = [exact, half].map(how => {
    const train = new Interpreted({ name: 'small.dnn', text }, how, { only: name => /step|init/.test(name) });
    train.run('fit.init');
    const name = 'Deep.first.weight';
    train.state[name] = { ...train.state[name]!, data: train.state[name]!.data.map(() => 0) };
    train.state['Deep.first.bias']!.data.fill(0.5);
    train.run('fit.step', { x }, { iter: 0, step: 0, epoch: 0 });
    return train.state[name]!;
  });
  expect(moved[0]!.data.some(v => v !== 0)).toBe(true);
  expect(distance(moved[1]!, moved[0]!)).toBeLessThan(0.01);
});

test('a training on matrices goes as one in f64', () => {
  const [lenet, how] = [cases[1]!, { ...half, kernels: true, target: matrixTarget }];
  const { scheduled } = new Interpreted({ name: 'lenet.dnn', text: lenet.source }, how).program('fit.step');
  const kernels = scheduled.flatMap(s => s.kernels);
  expect(kernels.filter(k => k.subgroupSize !== undefined).length).toBeGreaterThan(1);
  const expected = losses(lenet, exact, 2);
  for (const [i, loss] of losses(lenet, how, 2).entries()) expect(loss / expected[i]!).toBeCloseTo(1, 2);
});
