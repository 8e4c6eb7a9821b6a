import { describe, expect, test } from 'vitest';
import { f32, interpret, key, moduleOf, stepOf } from './helpers.ts';
import { average, near, range, total } from './library.ts';

/** First values of a parameter of this shape. */
function drawn(init: string, shape: readonly number[]): number[] {
  const text = `net A(x: f32[1]) -> f32[...] { param w: f32[${shape.join(', ')}] = ${init} return w * x }`;
  return interpret(moduleOf(text).nets[0]!.init, { key: key() })['A.w']!;
}

function deviation(list: number[]): number {
  const mean = average(list);
  return Math.sqrt(average(list.map(v => (v - mean) ** 2)));
}

describe('initialisers', () => {
  test.each<[string, number]>([
    ['xavier', Math.sqrt(2 / (60 * 9 + 50 * 9))],
    ['xavier_normal(gain = 2)', 2 * Math.sqrt(2 / (60 * 9 + 50 * 9))],
    ['kaiming', Math.sqrt(2 / (60 * 9))],
    ['kaiming_uniform', Math.sqrt(2 / (60 * 9))],
    ['kaiming(mode = "fan_out")', Math.sqrt(2 / (50 * 9))],
    ['lecun', Math.sqrt(1 / (60 * 9))],
    ['uniform(-1, 1)', Math.sqrt(1 / 3)],
    ['normal(0, 0.02)', 0.02],
    ['truncated_normal(0, 3)', 3 * 0.8796],
  ])('%s has its standard deviation', (init, want) => {
    const w = drawn(init, [50, 60, 3, 3]);
    expect(deviation(w) / want).toBeCloseTo(1, 1);
    expect(Math.abs(average(w))).toBeLessThan(0.03 * want);
  });

  test('constant', () => expect(drawn('constant(0.5)', [3])).toEqual([0.5, 0.5, 0.5]));

  test('a truncated normal stays within two deviations, and its shares are those of the normal', () => {
    const w = drawn('truncated_normal(1, 0.5)', [20000]);
    expect(Math.min(...w)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...w)).toBeLessThanOrEqual(2);
    expect(Math.max(...w)).toBeGreaterThan(1.97);
    // P(|z| < 1) / P(|z| < 2)
    expect(w.filter(v => Math.abs(v - 1) < 0.5).length / 20000).toBeCloseTo(0.6827 / 0.9545, 1);
  });

  test.each([
    [8, 8],
    [5, 12],
    [30, 7],
    [32, 32],
  ])('orthogonal of %i x %i', (rows, columns) => {
    const w = drawn('orthogonal(gain = 2)', [rows, columns]);
    const vector = (i: number) =>
      rows <= columns
        ? range(columns).map(k => w[i * columns + k]!)
        : range(rows).map(k => w[k * columns + i]!);
    const n = Math.min(rows, columns);
    for (const i of range(n))
      for (const j of range(n)) {
        const product = total(vector(i).map((v, k) => v * vector(j)[k]!));
        expect(product).toBeCloseTo(i === j ? 4 : 0, 4);
      }
  });
});

describe('schedules', () => {
  const at = (expr: string, epoch: number) => {
    const text = `net A(x: f32[1]) -> f32[1] { param w: f32 = ones return x * w }
      train t { data x: f32[1] metric rate = ${expr} minimize sum(A(x)) over A by sgd(lr = ${expr}) }`;
    const step = stepOf(moduleOf(text).trains[0]!);
    const inputs = { x: f32([1], [1]), 'A.w': f32([], [1]), epoch: f32([], [epoch]) };
    const out = interpret(step, inputs);
    const weight = step.outputs.find(o => o.target === 'A.w')!.name;
    expect(1 - out[weight]![0]!).toBeCloseTo(out.rate![0]!, 9);
    return out.rate![0]!;
  };
  test.each<[string, (t: number) => number]>([
    ['step_decay(0.1, epoch, 3)', t => 0.1 * 0.1 ** Math.floor(t / 3)],
    ['step_decay(0.1, epoch, 2, factor = 0.5)', t => 0.1 * 0.5 ** Math.floor(t / 2)],
    ['exponential_decay(0.1, epoch, 0.9)', t => 0.1 * 0.9 ** t],
    ['linear_decay(1, epoch, 4, end = 0.2)', t => 1 - 0.8 * Math.min(t / 4, 1)],
    ['cosine_decay(1, epoch, 4, end = 0.2)', t => 0.2 + 0.4 * (1 + Math.cos(Math.PI * Math.min(t / 4, 1)))],
    ['warm_up(exponential_decay(1, epoch, 0.5), epoch, 3)', t => 0.5 ** t * Math.min((t + 1) / 3, 1)],
  ])('%s', (expr, want) => {
    near(
      range(6).map(t => at(expr, t)),
      range(6).map(want),
    );
  });
});

describe('links of an optimiser', () => {
  /** The weight after each step from 1; the gradient is 2 (w - 3). */
  const path = (by: string, steps: number) => {
    const text = `net A(x: f32[2]) -> f32[2] { param w: f32[2] = constant(1) return w + 0 * x }
      train t { data x: f32[2] minimize sum((A(x) - 3) ^ 2) over A by ${by} }`;
    const train = moduleOf(text).trains[0]!;
    const { init } = train;
    const step = stepOf(train);
    const shapes = new Map(init.outputs.map(o => [o.name, o.value.type.shape.map(d => Number(d.key))]));
    let kept = Object.entries(interpret(init, {}));
    return range(steps).map(() => {
      const arrays = Object.fromEntries(kept.map(([name, v]) => [name, f32(shapes.get(name)!, v)]));
      const out = interpret(step, { ...arrays, x: f32([2], [0, 0]) });
      kept = kept.map(([name]) => [name, out[step.outputs.find(o => o.target === name)!.name]!]);
      return kept.find(([name]) => name === 'A.w')![1][0]!;
    });
  };
  const follow = (steps: number, update: (g: number, w: number, t: number) => number) => {
    let w = 1;
    return range(steps).map(t => {
      w -= update(2 * (w - 3), w, t + 1);
      return w;
    });
  };

  test('rmsprop, centred', () => {
    let [square, center] = [0, 0];
    near(
      path('rmsprop(lr = 0.1, alpha = 0.8, centered = true)', 5),
      follow(5, g => {
        square = 0.8 * square + 0.2 * g * g;
        center = 0.8 * center + 0.2 * g;
        return (0.1 * g) / (Math.sqrt(square - center ** 2) + 1e-8);
      }),
      7,
    );
  });

  test('lion', () => {
    let first = 0;
    near(
      path('lion(lr = 0.5, weight_decay = 0.1)', 8),
      follow(8, (g, w) => {
        const step = Math.sign(0.9 * first + 0.1 * g) + 0.1 * w;
        first = 0.99 * first + 0.01 * g;
        return 0.5 * step;
      }),
    );
  });

  test('sign and normalise leave the direction alone', () => {
    near(path('sign -> sgd(lr = 0.25)', 3), [1.25, 1.5, 1.75]);
    near(path('normalise -> sgd(lr = 0.25)', 3), [1.25, 1.5, 1.75], 6);
  });
});
