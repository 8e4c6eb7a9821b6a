import { describe, expect, test } from 'vitest';
import { check, compile } from '../../src/compile.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { printType } from '../../src/ir/type.ts';

const text = `train t {
  data x: f32[N, 3, W]
  param delta: f32[N, W] = x[:, 0]
  minimize mean((x + unsqueeze(delta, 1)) ^ 2) over delta by adam(lr = 0.1)
}

train other {
  data x: f32[N, 2]
  param w: f32[2] = zeros
  minimize mean((x - w) ^ 2) over w by sgd(lr = 0.1)
}`;
const source = { name: 't.dnn', text };

/** Types of what the step of a program takes and keeps. */
function types(sizes: Readonly<Record<string, number>>, program = 't'): Record<string, string> {
  const { module, diagnostics } = check(source, { sizes });
  expect(diagnostics).toEqual([]);
  const train = module!.trains.find(t => t.name === program)!;
  return Object.fromEntries(
    graphInputs(train.steps[0]!.graph).flatMap(i =>
      i.role === 'key' || i.role === 'scalar' ? [] : [[i.name, printType(i.outputs[0].type)]],
    ),
  );
}

describe('a parameter of free size', () => {
  test('can be checked, with the states of its optimiser; the program says which sizes it has', () => {
    expect(types({})).toMatchObject({ x: 'f32[N, 3, W]', 't.delta': 'f32[N, W]' });
    expect(check(source).module!.trains.map(t => t.sizes)).toEqual([['N', 'W'], []]);
  });

  test('compiling it is a diagnostic, not a fault', () => {
    const { compiled, diagnostics } = compile(source);
    expect(compiled).toBeUndefined();
    expect(diagnostics.map(d => d.code)).toEqual(['E0212']);
    expect(diagnostics[0]!.message).toMatch(/t\.delta is f32\[N, W\]/);
    expect(diagnostics[0]!.hint).toContain('--dim N=64 --dim W=64');
    expect(diagnostics[0]!.span).toBeDefined();
  });

  test('sizes from outside fix it and all that goes with it', () => {
    const fixed = types({ N: 4, W: 5 });
    expect(fixed).toMatchObject({ x: 'f32[4, 3, 5]', 't.delta': 'f32[4, 5]' });
    expect(Object.values(fixed)).toContain('f32[4, 5]');
    const { compiled, diagnostics } = compile(source, { sizes: { N: 4, W: 5 }, target: softwareTarget });
    expect(diagnostics).toEqual([]);
    const delta = compiled!.layout.tensors.filter(t => t.name.endsWith('t.delta'));
    expect(delta.length).toBeGreaterThan(1);
    for (const { shape } of delta.filter(d => d.shape.length > 0)) expect(shape).toEqual([4, 5]);
  });

  test('a size may be for one program alone, and leaves free what no parameter has', () => {
    expect(types({ 't.N': 4 })).toMatchObject({ x: 'f32[4, 3, W]' });
    expect(types({ N: 4 }, 'other')).toMatchObject({ x: 'f32[N, 2]' });
  });

  test('what does not go with a size is an error', () => {
    const pooled = `train t {
  param image: f32[1, 3, W, W] = zeros
  minimize mean(avg_pool(image - 1, 7) ^ 2) over image by sgd(lr = 0.1)
}`;
    const codes = (W: number) =>
      check({ name: 's.dnn', text: pooled }, { sizes: { W } }).diagnostics.map(d => d.code);
    expect(codes(7)).toEqual([]);
    expect(codes(5)).toEqual(['E0204']);
  });
});
