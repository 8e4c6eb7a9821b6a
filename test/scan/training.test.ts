import { describe, expect, test } from 'vitest';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { generator } from '../arbitrary/numbers.ts';
import { f32, i32, interpret, key, stepOf, variables } from '../elaborate/helpers.ts';
import { type Arrays, compileText, graphBackend, kernelBackend } from '../torch/run.ts';
import { moduleOf } from './unrolled.ts';

const next = generator(11);
const random = (...shape: number[]) =>
  f32(shape, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next));

describe('random numbers', () => {
  const text = `net Case(x: f32[N, T, 2]) -> (a: f32[N, T, 2], b: f32[N, T, 2]) {
    r = scan(axis = 1) xt in x carry h = zeros(N, 2) {
      h = rand_like(h)
      yield h, rand_like(h)
    }
    return r.out, r.out_2
  }`;
  const compiled = compileText('random', text, softwareTarget);
  const x = f32([2, 6, 2], new Float64Array(24));
  const draw = (seed: number, step: number) => {
    const { graph, program, scheduled } = compiled.compiled.programs.get('Case')!;
    const inputs = { x, key: key(seed, step) };
    const dims = { N: 2, T: 6 };
    const byGraph = interpretGraph(graph, inputs).outputs;
    const byKernels = interpretProgram(program, inputs, { dims, kernels: scheduled }).outputs;
    for (const [name, array] of byGraph) expect(byKernels.get(name)).toEqual(array);
    return [...byGraph.values()].flatMap(array => [...array.data]);
  };

  test('differ from turn to turn, from site to site and from element to element', () => {
    const all = draw(1, 0);
    expect(new Set(all).size).toBe(all.length);
    for (const u of all) expect(u >= 0 && u < 1).toBe(true);
  });

  test('depend on seed and step alone', () => {
    expect(draw(1, 0)).toEqual(draw(1, 0));
    expect(draw(1, 1)).not.toEqual(draw(1, 0));
    expect(draw(2, 0)).not.toEqual(draw(1, 0));
  });

  test('dropout in a turn', () => {
    const module = moduleOf(`
      block Noisy()(x: f32[N, T, 4]) -> f32[N, T, 4] {
        drop = dropout(0.5)
        r = scan(axis = 1) xt in x carry h = ones(N, 4) { h = h  yield drop(h) }
        return r.out
      }
      net A(x: f32[N, T, 4]) -> f32[N, T, 4] = Noisy()
      train t { data x: f32[N, T, 4]  param w: f32 = 1  y = A(x) * w  metric m = sum(y)
        minimize sum(y) over w by sgd(lr = 1) }`);
    const { loss } = interpret(stepOf(module.trains[0]!), {
      x: f32([8, 16, 4], new Float64Array(512)),
      't.w': f32([], [1]),
      key: key(),
      epoch: f32([], [0]),
      iter: f32([], [0]),
    }) as { loss: number[] };
    expect(loss![0]! / 512).toBeGreaterThan(0.8);
    expect(loss![0]! / 512).toBeLessThan(1.2);
  });
});

describe('layers in a turn', () => {
  test('share one set of weights', () => {
    const module = moduleOf(`
      net A(x: f32[N, T, 3]) -> f32[N, T, 4] {
        r = scan(axis = 1) xt in x carry h = zeros(N, 4) {
          h = concat(xt, h, axis = 1) -> dense(4) -> tanh
          yield h -> out: dense(4)
        }
        return r.out
      }`);
    const { predict } = module.nets[0]!;
    expect(variables(predict).sort()).toEqual([
      'A.dense.bias',
      'A.dense.weight',
      'A.out.bias',
      'A.out.weight',
    ]);
  });

  test('a function with a loop, called twice, and a loop in an unrolled one', () => {
    const module = moduleOf(`
      fn total(x: f32[T, N], by: f32) -> f32[N] {
        r = scan() xt in x carry s = zeros(N) { s = s * by + xt }
        return r.s
      }
      net Case(x: f32[T, N]) -> (a: f32[N], b: f32[N]) {
        s = total(x, 2)
        repeat i in [1, 10] { s = s + total(x, i) }
        return total(x, 1), s
      }`);
    const x = f32([3, 1], [1, 2, 3]);
    expect(interpret(module.nets[0]!.predict, { x })).toEqual({ a: [6], b: [11 + 6 + 123] });
  });
});

describe('a state that lasts beyond the loop', () => {
  const text = `
    net Keep(x: f32[1, T, 2]) -> f32[1, T, 3] {
      state hidden: f32[1, 3] = zeros
      r = scan(axis = 1) xt in x carry h = hidden {
        h = concat(xt, h, axis = 1) -> cell: dense(3) -> tanh
        yield h
      }
      hidden <- r.h
      return r.out
    }
    train fit {
      data x: f32[1, T, 2]
      loss = sum(Keep(x) ^ 2)
      minimize loss over Keep by sgd(lr = 0.1)
    }`;

  test('is what the step before left, and the same on all levels', async () => {
    const weights = { 'Keep.cell.weight': random(3, 5), 'Keep.cell.bias': random(3) };
    const data = [random(1, 4, 2), random(1, 2, 2), random(1, 5, 2)];
    const runs = await Promise.all(
      [graphBackend, kernelBackend(softwareTarget)].map(async backend => {
        const compiled = compileText('keep', text, backend.target);
        const training = await backend.training(compiled, weights);
        const states: Arrays[] = [];
        for (const x of data) {
          await training.step({ x });
          states.push(await training.state());
        }
        return states;
      }),
    );
    const hidden = runs[0]!.map(s => [...s['Keep.hidden']!.data]);
    expect(new Set(hidden.map(String)).size).toBe(3);
    for (const [i, states] of runs[0]!.entries())
      for (const [name, array] of Object.entries(states))
        array.data.forEach((v, at) => void expect(runs[1]![i]![name]!.data[at]).toBeCloseTo(v, 10));
  });
});

describe('edges', () => {
  test('no turn at all', () => {
    const text = `net Case(x: f32[N, 2], a: f32[N]) -> (h: f32[N], out: f32[0, N], g: f32[N]) {
      r = scan() xt in transpose(x[:, 2:2]) carry h = a { h = sin(h + xt)  yield h }
      return r.h, r.out, grad(sum(r.h * r.h), a)
    }`;
    const { compiled } = compileText('none', text, softwareTarget);
    const { graph, program, scheduled } = compiled.programs.get('Case')!;
    const inputs = { x: random(2, 2), a: f32([2], [3, 4]) };
    const outputs = interpretProgram(program, inputs, { dims: { N: 2 }, kernels: scheduled }).outputs;
    expect([...outputs.get('h')!.data]).toEqual([3, 4]);
    expect([...outputs.get('g')!.data]).toEqual([6, 8]);
    expect(interpretGraph(graph, inputs).outputs.get('out')!.shape).toEqual([0, 2]);
    expect(graphInputs(graph).map(n => n.name)).toEqual(['x', 'a']);
  });

  test('lengths of examples that are looked up', () => {
    const module = moduleOf(`net Case(x: f32[N, T], n: i32[N]) -> f32[N, T] {
      r = scan(axis = 1, lengths = n) xt in x carry s = zeros(N) { s = s + xt  yield s }
      return r.out
    }`);
    const x = f32([3, 3], [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    const outputs = interpret(module.nets[0]!.predict, { x, n: i32([3], [2, 0, 9]) });
    expect(Object.values(outputs)[0]).toEqual([1, 3, 0, 0, 0, 0, 1, 3, 6]);
  });
});
