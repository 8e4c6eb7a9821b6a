import { describe, expect, test } from 'vitest';
import { check, compile } from '../../src/compile.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';

const text = `
net A(x: f32[N, 1]) -> f32[N, 1] { param a: f32[1] = zeros  return x * a }
net B(x: f32[N, 1]) -> f32[N, 1] { param b: f32[1] = ones  return x + b }

train duel {
  data x: f32[N, 1]
  half = x / 2
  step first every 2 {
    loss = mean(A(half))
    metric size = mean(abs(half))
    minimize loss over A by sgd(lr = 1)
  }
  step second {
    loss = mean(B(A(x)) ^ 2)
    noise = mean(rand_like(x))
    metric noise = noise
    minimize loss over B by sgd(lr = 0.5)
  }
  metric all = mean(x)
}`;

describe('training programs of several steps', () => {
  const { module, diagnostics } = check({ name: 'duel.dnn', text });
  const train = module!.trains[0]!;

  test('each is a graph of its own, which moves what it owns and has its own metrics', () => {
    expect(diagnostics).toEqual([]);
    expect(train.steps.map(s => [s.name, s.every])).toEqual([
      ['step:first', 2],
      ['step:second', 1],
    ]);
    const names = train.steps.map(s => s.graph.outputs.map(o => o.name));
    expect(names).toEqual([
      ['first.loss', 'first.size', 'A.a'],
      ['second.loss', 'second.noise', 'all', 'B.b'],
    ]);
    expect(train.evaluate.outputs.map(o => o.name).sort()).toEqual(
      ['all', 'first.loss', 'first.size', 'second.loss', 'second.noise'].sort(),
    );
    expect(train.nets).toEqual(['A', 'B']);
  });

  test('a later step sees what an earlier one changed', () => {
    const state: Record<string, NdArray> = {
      'A.a': ndarray('f32', [1], [0]),
      'B.b': ndarray('f32', [1], [1]),
    };
    const x = ndarray('f32', [2, 1], [1, 3]);
    for (const { graph } of train.steps) {
      const { outputs } = interpretGraph(differentiateGraph(graph).graph, {
        ...state,
        x,
        key: ndarray('u32', [2], [0, 0]),
      });
      for (const o of graph.outputs) if (o.role === 'update') state[o.target!] = outputs.get(o.name)!;
    }
    // First: d mean(a x / 2) / da = 1, so a = -1. Then b + a x is 0 and -2 with mean -1: b = 1 - 0.5 * 2 * -1.
    expect([...state['A.a']!.data]).toEqual([-1]);
    expect([...state['B.b']!.data]).toEqual([2]);
  });

  test('two names in two steps, the same draw in neither', () => {
    const sites = compile({
      name: 't.dnn',
      text: `net A(x: f32[N, 1]) -> f32[N, 1] { return x -> head: dense(1) }
        train t {
          data x: f32[N, 1]
          step p { minimize mean(A(x + rand_like(x))) over A by sgd(lr = 1) }
          step q { minimize mean(A(x + rand_like(x))) over A by sgd(lr = 1) }
        }`,
    }).module!.trains[0]!.steps.flatMap(s =>
      s.graph.nodes.flatMap(n => (n.kind === 'op' && n.attrs.site !== undefined ? [n.attrs.site] : [])),
    );
    expect(sites.length).toBe(2);
    expect(new Set(sites).size).toBe(2);
  });

  test('names of steps are unique, and `every` counts batches', () => {
    const errors = check({
      name: 't.dnn',
      text: `net A(x: f32[N, 1]) -> f32[N, 1] { return x -> head: dense(1) }
        train t {
          data x: f32[N, 1]
          step p { minimize mean(A(x)) over A by sgd(lr = 1) }
          step p every 0 { minimize mean(A(x)) over A by sgd(lr = 1) }
        }`,
    }).diagnostics.map(d => d.message);
    expect(errors.some(m => /step `p`/.test(m))).toBe(true);
    expect(errors.some(m => /not every 0/.test(m))).toBe(true);
  });
});
