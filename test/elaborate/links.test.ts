import { describe, expect, test } from 'vitest';
import { f32, interpret, key, moduleOf, run, show, stepOf, variables } from './helpers.ts';

const program = (by: string): string => `
fn scale(g: f32[...], by: float) -> f32[...] { return g * by }

train t {
  data x: f32[N]
  param w: f32 = 1
  minimize w * mean(x) over w by ${by}
}`;

/** The weight after a step with a gradient of 1. */
function after(by: string): number {
  const { trains } = moduleOf(program(by));
  return interpret(stepOf(trains[0]!), { x: f32([2], [1, 1]), 't.w': f32([], [1]), key: key() })['t.w']![0]!;
}

describe('repeat among the links of an optimiser', () => {
  test.each([
    ['scale(0.5) -> repeat 3 { scale(0.5) }', 1 - 1 / 16],
    ['scale(1) -> repeat k in [2, 3] { scale(k) -> scale(0.1) }', 1 - 0.06],
    ['scale(1) -> all: repeat 2 { repeat 2 { scale(2) } }', 1 - 16],
    ['scale(0.5) -> repeat 0 { scale(0) }', 0.5],
  ])('%s', (by, expected) => {
    expect(after(by)).toBeCloseTo(expected, 12);
  });

  test('every turn has states of its own, under paths as layers have', () => {
    const states = (by: string) => {
      const { trains } = moduleOf(program(by));
      return variables(stepOf(trains[0]!)).filter(name => name !== 't.w');
    };
    expect(states('scale(1) -> repeat 2 { momentum(0.9) }')).toEqual([
      't.momentum[0].velocity.t.w',
      't.momentum[1].velocity.t.w',
    ]);
    expect(states('scale(1) -> slow: repeat 2 { momentum(0.9) }')).toEqual([
      't.slow[0].velocity.t.w',
      't.slow[1].velocity.t.w',
    ]);
    expect(states('scale(1) -> slow: repeat 1 { momentum(0.9) -> momentum(0.5) }')).toEqual([
      't.slow[0].momentum.velocity.t.w',
      't.slow[0].momentum_2.velocity.t.w',
    ]);
  });

  test('sums over all parameters are made in every turn', () => {
    const { diagnostics } = run(program('clip_norm(5) -> repeat 2 { clip_norm(1) } -> sgd(lr = 0.1)'));
    expect(diagnostics.map(show)).toEqual([]);
  });

  test('the number of turns is known at compile time', () => {
    const { diagnostics } = run(program('scale(1) -> repeat x { scale(2) }'));
    expect(diagnostics.map(show).join()).toMatch(/^E0201 `repeat` takes a number of turns/);
  });
});
