import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../src/compile.ts';
import * as D from '../src/ir/dim.ts';
import { gpuTarget, softwareTarget, type Target, wasmTarget } from '../src/ir/target.ts';

const example = (path: string): string =>
  readFileSync(new URL(`../examples/${path}`, import.meta.url), 'utf8');

/** Compiles a text and counts the dispatches of its programs. */
function counting(text: string, target: Target, only?: (program: string) => boolean) {
  const { compiled } = compile({ name: 'test.dnn', text }, { target, ...(only && { only }) });
  const dispatches = (program: string): number => compiled!.programs.get(program)!.plan.dispatches.length;
  return { compiled, dispatches };
}

describe.each([
  { target: softwareTarget, step: 29 },
  { target: gpuTarget, step: 27 },
])('LeNet for $target.name', ({ target, step }) => {
  const { compiled, dispatches } = counting(example('lenet/lenet.dnn'), target);

  test('infers in at most 7 dispatches', () => expect(dispatches('LeNet')).toBeLessThanOrEqual(7));
  test(`trains in at most ${step} dispatches a step`, () =>
    expect(dispatches('mnist.step')).toBeLessThanOrEqual(step));

  test('convolution, bias and activation are one kernel', () => {
    const { works } = compiled!.programs.get('LeNet')!.program;
    expect(works[0]!.absorbed).toEqual(['convolution', 'add', 'tanh']);
  });

  test('no work is left to the optimiser alone', () => {
    const { works } = compiled!.programs.get('mnist.step')!.program;
    const alone = works.filter(w => w.outputs.every(t => t.role === 'state' || t.role === 'param'));
    expect(alone.every(w => w.region.stages[0]!.reduce)).toBe(true);
  });
});

describe.each([
  { target: softwareTarget, d: 130, g: 106 },
  { target: gpuTarget, d: 167, g: 134 },
  { target: wasmTarget, d: 157, g: 127 },
])('DCGAN for $target.name', ({ target, d, g }) => {
  const { dispatches } = counting(example('dcgan/dcgan.dnn'), target, name => name.startsWith('dcgan.'));

  test('trains two nets with batch norm and Adam', () => {
    expect(dispatches('dcgan.step:d')).toBeLessThanOrEqual(d);
    expect(dispatches('dcgan.step:g')).toBeLessThanOrEqual(g);
  });

  // Random weights of six shapes, ones, and zeros for everything else: 134 tensors.
  test('starts in 10 dispatches', () => expect(dispatches('dcgan.init')).toBeLessThanOrEqual(10));
});

describe('what is packed', () => {
  const net = (size: number): string => `net Wide(x: f32[N, ${size}]) -> f32[N, ${size}] {
  return x -> a: dense(${size}) -> b: dense(${size})
}

train fit {
  data x: f32[N, ${size}]
  loss = mean(Wide(x) ^ 2)
  minimize loss over Wide by adam()
}
`;
  const largest = (size: number): { works: number; bytes: number } => {
    const { compiled } = counting(net(size), gpuTarget, name => name === 'fit.init');
    const { works } = compiled!.programs.get('fit.init')!.program;
    const bytes = works.flatMap(w => w.outputs.map(t => 4 * D.evaluate(D.product(t.type.shape))));
    return { works: works.length, bytes: Math.max(...bytes) };
  };

  test('is no longer than a binding may be', () => {
    // Each weight of 64 MB has two states beside it; all of them together are more than 128 MiB.
    const { works, bytes } = largest(4000);
    expect(bytes).toBeGreaterThan(64e6);
    expect(bytes).toBeLessThanOrEqual(gpuTarget.maxStorageBufferBindingSize);
    expect(works).toBeGreaterThan(largest(40).works);
  });
});
