import { describe, expect, test } from 'vitest';
import { type Compiled, compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { bufferUses } from '../../src/ir/kernel-access.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { printPlan } from '../../src/ir/print/plan.ts';
import { gpuTarget, softwareTarget, wasmTarget } from '../../src/ir/target.ts';
import { verifyPlan } from '../../src/ir/verify/plan.ts';

const compiled = (text: string, target = wasmTarget): NonNullable<Compiled['compiled']> => {
  const made = compile({ name: 'test.dnn', text }, { target });
  if (!made.compiled) throw new Error(made.diagnostics.map(d => d.message).join('\n'));
  return made.compiled;
};
const planOf = (text: string, program: string, target = wasmTarget): Plan =>
  compiled(text, target).programs.get(program)!.plan;

/** A product of two parameters, which is the same for every x. */
const low = `block low(k: int)(x: f32[N, D]) -> f32[N, D] {
  param a: f32[D, k] = normal(0, 1)
  param b: f32[k, D] = normal(0, 1)
  return x @ (a @ b)
}
net T(x: f32[N, 6]) -> f32[N, 6] { return x -> low(4) -> tanh -> low(4) }`;

const writes = ({ kernels, dispatches }: Plan): string[][] =>
  dispatches.map(({ kernel, bindings }) => {
    const { buffers } = kernels[kernel]!;
    const written = bufferUses(kernels[kernel]!).writes;
    return bindings.flatMap((b, i) => (written.has(buffers[i]!.name) ? [b.buffer] : []));
  });

test('what depends on parameters alone comes first, in memory of its own', () => {
  const plan = planOf(low, 'T');
  expect(plan.prologue).toBe(2);
  expect(writes(plan).slice(0, 2)).toEqual([['constants'], ['constants']]);
  expect(writes(plan).slice(2).flat()).not.toContain('constants');
  expect(D.evaluate(plan.constantBytes!)).toBe(512);
  expect(printPlan(plan)).toMatch(
    /constants 512 bytes[\s\S]*at constants 256[\s\S]*dispatches 0\.\.1 where parameters have changed/,
  );
});

test.each([gpuTarget, softwareTarget])('for WebGPU too: $name', target => {
  const plan = planOf(low, 'T', target);
  expect(plan.prologue).toBeGreaterThanOrEqual(2);
  expect(new Set(writes(plan).slice(0, plan.prologue).flat())).toEqual(new Set(['constants']));
  expect(writes(plan).slice(plan.prologue).flat()).not.toContain('constants');
  expect(D.evaluate(plan.constantBytes!)).toBeGreaterThanOrEqual(512);
  // Where there is none, nothing is said of it.
  const none = planOf('net T(x: f32[N, 6]) -> f32[N, 6] { return x -> dense(6) }', 'T', target);
  expect([none.prologue, none.constantBytes]).toEqual([undefined, undefined]);
});

describe('not in the prologue', () => {
  test('what a training step changes', () => {
    const text = `${low}
    train fit {
      data x: f32[N, 6]
      minimize mean(T(x) ^ 2) over T by sgd(lr = 0.1)
    }`;
    const { programs } = compiled(text);
    const touched = (plan: Plan): string[] =>
      plan.dispatches.slice(0, plan.prologue ?? 0).flatMap(d => d.bindings.map(b => b.tensor.role));
    expect(touched(programs.get('fit.step')!.plan)).not.toContain('param');
    expect(programs.get('fit.evaluate')!.plan.prologue).toBe(2);
  });

  test('results, and what the sizes of a run or its numbers say', () => {
    const plan = planOf(
      `net T(x: f32[N, 2]) -> (y: f32[N, 2], w: f32[2, 2], s: f32[2, 2]) {
        param a: f32[2, 2] = normal(0, 1)
        w = a @ a
        s = (a @ transpose(a)) / dim(x, 0)
        return x @ s, w, s
      }`.replace('dim(x, 0)', 'N'),
      'T',
    );
    expect(plan.prologue).toBeUndefined();
  });
});

test('the verifier sees a dispatch behind the prologue that writes constants, and one inside that reads the host', () => {
  const { layout, programs } = compiled(low);
  const { plan } = programs.get('T')!;
  expect(verifyPlan(plan, layout)).toEqual([]);
  expect(verifyPlan({ ...plan, prologue: 1 }, layout).join()).toContain(
    'is written into constants behind the prologue',
  );
  expect(verifyPlan({ ...plan, prologue: 3 }, layout).join()).toContain('is not the same in every run');
  expect(verifyPlan({ ...plan, constantBytes: D.constant(256) }, layout).join()).toContain(
    'of 256 bytes of constants',
  );
});

describe('variants', () => {
  const net = (x: string): string =>
    `net T(x: f32[${x}, 3, 9, 9]) -> f32[${x}, 8, 9, 9] { return x -> conv(6, 5, pad = 2) -> tanh -> conv(8, 5, pad = 2) }`;

  test('a free batch has a plan in blocks for batches that fill half of one', () => {
    const made = compile({ name: 'test.dnn', text: net('N') }, { target: wasmTarget });
    const { plan, program, variants } = made.compiled!.programs.get('T')!;
    expect(variants!.map(v => v.fits.map(D.print))).toEqual([['N - 3']]);
    expect(program.tensors.some(t => t.name.endsWith('_blocks'))).toBe(false);
    expect(variants![0]!.program.tensors.some(t => t.name.endsWith('_blocks'))).toBe(true);
    expect(made.entries![0]!.programs[0]).toMatchObject({ plan, variants: [{ plan: variants![0]!.plan }] });
  });

  test('a batch of a known size has one plan', () => {
    const { program, variants } = compiled(net('8')).programs.get('T')!;
    expect(variants).toBeUndefined();
    expect(program.tensors.some(t => t.name.endsWith('_blocks'))).toBe(true);
    expect(
      compiled(net('2'))
        .programs.get('T')!
        .program.tensors.some(t => t.name.endsWith('_blocks')),
    ).toBe(false);
  });

  test('a GPU has one plan', () =>
    expect(compiled(net('N'), gpuTarget).programs.get('T')!.variants).toBeUndefined());
});
