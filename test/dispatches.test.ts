import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../src/compile.ts';
import { gpuTarget, softwareTarget } from '../src/ir/target.ts';

const text = readFileSync(new URL('../examples/lenet/lenet.dnn', import.meta.url), 'utf8');

describe.each([softwareTarget, gpuTarget])('LeNet for $name', target => {
  const { compiled } = compile({ name: 'lenet.dnn', text }, { target });
  const dispatches = (program: string): number => compiled!.programs.get(program)!.plan.dispatches.length;

  test('infers in at most 7 dispatches', () => expect(dispatches('LeNet')).toBeLessThanOrEqual(7));
  test('trains in at most 30 dispatches a step', () =>
    expect(dispatches('mnist.step')).toBeLessThanOrEqual(30));

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
