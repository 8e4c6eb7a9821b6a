import { describe, expect, test } from 'vitest';
import type { Train } from '../../src/ir/module.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { f32, i32, interpret, key, moduleOf, scalar, variables } from './helpers.ts';

const linear = (by: string, extra = '') => `net A(x: f32[N]) -> f32[N] { param w: f32 = ones return x * w }
  train t { data x: f32[N] data y: f32[N] ${extra} minimize mse(A(x), y) over A by ${by} }`;

/** Runs steps on one batch and gives the weight after each; the gradient is 2 * mean(x * (x * w - y)). */
function trajectory(by: string, steps: number, inputs: Record<string, NdArray> = {}): number[] {
  const train = moduleOf(linear(by)).trains[0]!;
  const data = { x: f32([2], [1, 2]), y: f32([2], [3, -1]), key: key(), ...inputs };
  return run(train, data, steps).map(state => state['A.w']!.data[0]!);
}

/** The kept values after each step, from `init` on. */
function run(train: Train, data: Record<string, NdArray>, steps: number): Record<string, NdArray>[] {
  let kept: Record<string, NdArray> = {};
  const first = interpret(train.init, data);
  const type = new Map(train.init.outputs.map(o => [o.name, o.value.type.shape.map(d => Number(d.key))]));
  for (const [name, values] of Object.entries(first)) kept[name] = f32(type.get(name)!, values);
  const states = [];
  for (let i = 0; i < steps; i++) {
    const out = interpret(train.steps[0]!.graph, { ...kept, ...data });
    kept = { ...kept };
    for (const o of train.steps[0]!.graph.outputs)
      if (o.target) kept[o.target] = f32(type.get(o.target)!, out[o.name]!);
    states.push(kept);
  }
  return states;
}

const slope = (w: number) => (1 * (w - 3) + 2 * (2 * w + 1)) * 1;

function reference(steps: number, update: (g: number, w: number, t: number) => number): number[] {
  const weights = [];
  for (let t = 1, w = 1; t <= steps; t++) {
    w -= update(slope(w), w, t);
    weights.push(w);
  }
  return weights;
}

const close = (got: number[], want: number[]) => {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 10);
  });
};

const never = (): never => {
  throw new Error('a program without steps');
};

describe('optimisers follow PyTorch’s rules', () => {
  test('sgd', () => {
    close(
      trajectory('sgd(lr = 0.1)', 3),
      reference(3, g => 0.1 * g),
    );
    close(
      trajectory('sgd(lr = 0.1, weight_decay = 0.5)', 3),
      reference(3, (g, w) => 0.1 * (g + 0.5 * w)),
    );
  });

  test('sgd with momentum, nesterov, dampening', () => {
    let v = 0;
    close(
      trajectory('sgd(lr = 0.1, momentum = 0.9)', 4),
      reference(4, g => 0.1 * (v = 0.9 * v + g)),
    );
    v = 0;
    close(
      trajectory('sgd(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.1)', 4),
      reference(4, (g, w) => {
        const d = g + 0.1 * w;
        v = 0.9 * v + d;
        return 0.1 * (d + 0.9 * v);
      }),
    );
    v = 0;
    close(
      trajectory('sgd(lr = 0.1, momentum = 0.9, dampening = 0.3)', 4),
      reference(4, (g, _, t) => 0.1 * (v = t === 1 ? g : 0.9 * v + 0.7 * g)),
    );
  });

  test('without momentum there is no velocity', () => {
    expect(variables(moduleOf(linear('sgd(lr = 0.1)')).trains[0]!.steps[0]!.graph)).toEqual(['A.w']);
    expect(variables(moduleOf(linear('sgd(lr = 0.1, momentum = 0.9)')).trains[0]!.steps[0]!.graph)).toEqual([
      'A.w',
      't.sgd.momentum.velocity.A.w',
    ]);
  });

  test('adam and adamw', () => {
    const adam = () => {
      let [m, v] = [0, 0];
      return (g: number, t: number) => {
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        return ((0.01 / (1 - 0.9 ** t)) * m) / (Math.sqrt(v) / Math.sqrt(1 - 0.999 ** t) + 1e-8);
      };
    };
    const [plain, decayed, apart] = [adam(), adam(), adam()];
    close(
      trajectory('adam(lr = 0.01)', 4),
      reference(4, (g, _, t) => plain(g, t)),
    );
    close(
      trajectory('adam(lr = 0.01, weight_decay = 0.1)', 4),
      reference(4, (g, w, t) => decayed(g + 0.1 * w, t)),
    );
    close(
      trajectory('adamw(lr = 0.01, weight_decay = 0.1)', 4),
      reference(4, (g, w, t) => 0.01 * 0.1 * w + apart(g, t)),
    );
  });

  test('rmsprop and adagrad', () => {
    let s = 0;
    close(
      trajectory('rmsprop(lr = 0.01)', 3),
      reference(3, g => (0.01 * g) / (Math.sqrt((s = 0.99 * s + 0.01 * g * g)) + 1e-8)),
    );
    s = 0;
    close(
      trajectory('adagrad(lr = 0.1, lr_decay = 0.5)', 3),
      reference(3, (g, _, t) => ((0.1 / (1 + (t - 1) * 0.5)) * g) / (Math.sqrt((s += g * g)) + 1e-10)),
    );
  });

  test('learning rates may depend on epoch and iter', () => {
    const by = 'sgd(lr = 0.1 * 0.5 ^ floor(epoch / 5))';
    expect(trajectory(by, 1, { epoch: scalar(11) })[0]).toBeCloseTo(1 - 0.025 * slope(1), 12);
  });
});

describe('chains of links', () => {
  test('functions and blocks follow each other', () => {
    expect(trajectory('sign -> sgd(lr = 0.25)', 1)).toEqual([1 - 0.25 * Math.sign(slope(1))]);
    expect(trajectory('clip_value(0.5) -> sgd(lr = 0.1)', 1)[0]).toBeCloseTo(1 - 0.1 * 0.5, 12);
  });

  test('total sums over all parameters of its by', () => {
    const text = `net A(x: f32[N, 2]) -> f32[N, 1] { return x -> dense(1, init = zeros) }
      train t { data x: f32[N, 2] minimize sum(A(x)) over A by clip_norm(1) -> sgd(lr = 1) }`;
    const state = run(moduleOf(text).trains[0]!, { x: f32([1, 2], [2, 4]), key: key() }, 1)[0]!;
    const norm = Math.sqrt(4 + 16 + 1) + 1e-6;
    close(
      [...state['A.dense.weight']!.data, ...state['A.dense.bias']!.data],
      [-2 / norm, -4 / norm, -1 / norm],
    );
  });

  test('noise differs between parameters and elements', () => {
    const text = `net A(x: f32[N, 2]) -> f32[N, 2] { return x -> dense(2) }
      train t { data x: f32[N, 2] minimize 0 * sum(A(x)) over A by grad_noise(eta = 1, gamma = 0) -> sgd(lr = 1) }`;
    const {
      steps: [{ graph: step } = never()],
    } = moduleOf(text).trains[0]!;
    const out = interpret(step, {
      x: f32([1, 2], [1, 1]),
      key: key(),
      iter: scalar(3),
      'A.dense.weight': f32([2, 2], [0, 0, 0, 0]),
      'A.dense.bias': f32([2], [0, 0]),
    });
    const noise = [...out['A.dense.weight']!, ...out['A.dense.bias']!];
    expect(new Set(noise).size).toBe(6);
  });
});

describe('ownership', () => {
  const text = `net A(x: f32[N]) -> f32[N] { param w: f32 = ones return x * w }
    net B(x: f32[N]) -> f32[N] { param w: f32 = ones param v: f32 = ones return A(x) * w + v }
    train t { data x: f32[N] minimize mean(B(x)) over TARGETS }`;
  const updated = (targets: string) =>
    moduleOf(text.replace('TARGETS', targets))
      .trains[0]!.steps[0]!.graph.outputs.filter(o => o.role === 'update')
      .map(o => o.target);

  test('only what follows over moves, and a net does not own another', () => {
    expect(updated('B by sgd(lr = 1)')).toEqual(['B.w', 'B.v']);
    expect(updated('A by sgd(lr = 1)')).toEqual(['A.w']);
    expect(updated('A, B.v by sgd(lr = 1)')).toEqual(['A.w', 'B.v']);
    expect(updated('B.w by sgd(lr = 1), A by sgd(lr = 1, momentum = 0.5)')).toEqual([
      'B.w',
      'A.w',
      't.sgd_2.momentum.velocity.A.w',
    ]);
  });

  test('one gradient node serves all targets', () => {
    const {
      steps: [{ graph: step } = never()],
    } = moduleOf(text.replace('TARGETS', 'B by sgd(lr = 1), A by sgd(lr = 2)')).trains[0]!;
    expect(step.nodes.filter(n => n.kind === 'op' && n.op.name === 'gradient').length).toBe(1);
  });

  test('a program’s own params, begun from data', () => {
    const stylize = `train t { data c: f32[1, H] param image: f32[1, H] = c * 2
      minimize mean(image ^ 2) over image by sgd(lr = 1) }`;
    const {
      init,
      steps: [{ graph: step } = never()],
    } = moduleOf(stylize).trains[0]!;
    expect(interpret(init, { c: f32([1, 2], [1, 3]) })).toEqual({ 't.image': [2, 6] });
    const out = interpret(step, { c: f32([1, 2], [1, 3]), 't.image': f32([1, 2], [2, 6]) });
    expect(out['t.image']).toEqual([0, 0]);
  });
});

describe('states and modes', () => {
  const text = `net A(x: f32[N, 1, 2]) -> f32[N, 1, 2] { return x -> batch_norm }
    train t { data x: f32[N, 1, 2] minimize mean(CALL ^ 2) over TARGET by sgd(lr = 1) }
    net B(x: f32[N, 1, 2]) -> f32[N, 1, 2] { param s: f32 = ones return A(x) * s }`;
  const inputs = {
    x: f32([2, 1, 2], [1, 2, 3, 6]),
    'A.batch_norm.weight': f32([1], [1]),
    'A.batch_norm.bias': f32([1], [0]),
    'A.batch_norm.running_mean': f32([1], [0.5]),
    'A.batch_norm.running_var': f32([1], [2]),
    'B.s': scalar(1),
  };
  const step = (call: string, target: string) =>
    interpret(
      moduleOf(text.replace('CALL', call).replace('TARGET', target)).trains[0]!.steps[0]!.graph,
      inputs,
    );

  test('batch norm normalises by the batch and updates its averages in training', () => {
    const out = step('A(x)', 'A');
    expect(out['A.batch_norm.running_mean']![0]).toBeCloseTo(0.9 * 0.5 + 0.1 * 3, 12);
    expect(out['A.batch_norm.running_var']![0]).toBeCloseTo(0.9 * 2 + (0.1 * 14) / 3, 12);
    expect(out.loss![0]).toBeCloseTo(3.5 / (3.5 + 1e-5), 12);
  });

  test('infer uses the averages and leaves them', () => {
    const out = step('(infer A(x))', 'A');
    expect(Object.keys(out)).not.toContain('A.batch_norm.running_mean');
    const mean = [1, 2, 3, 6].reduce((s, v) => s + (v - 0.5) ** 2 / (2 + 1e-5), 0) / 4;
    expect(out.loss![0]).toBeCloseTo(mean, 12);
  });

  test('a net that over does not name keeps its averages', () => {
    expect(Object.keys(step('B(x)', 'B')).sort()).toEqual(['B.s', 'loss']);
  });

  test('inference and evaluation use the averages', () => {
    const module = moduleOf(text.replace('CALL', 'A(x)').replace('TARGET', 'A'));
    const got = interpret(module.nets[0]!.predict, inputs).out!;
    expect(got[0]).toBeCloseTo(0.5 / Math.sqrt(2 + 1e-5), 12);
    expect(Object.keys(interpret(module.trains[0]!.evaluate, inputs))).toEqual(['loss']);
  });

  test('dropout scales what it keeps, and is absent in inference', () => {
    const drop = `net A(x: f32[N]) -> f32[N] { return x -> dropout(0.25) }
      train t { data x: f32[N] param p: f32 = zeros y = A(x) metric kept = mean(cast(y != 0, f32)) metric size = max(y)
        minimize p * p over p by sgd(lr = 1) }`;
    const module = moduleOf(drop);
    const out = interpret(module.trains[0]!.steps[0]!.graph, {
      x: f32([4000], new Array(4000).fill(3)),
      key: key(),
      't.p': scalar(1),
    });
    expect(out.kept![0]).toBeGreaterThan(0.72);
    expect(out.kept![0]).toBeLessThan(0.78);
    expect(out.size![0]).toBeCloseTo(4, 12);
    expect(module.nets[0]!.predict.nodes.length).toBe(1);
  });

  test('two applications in one step update a state in program order', () => {
    const counter = `block Count()(x: f32[N]) -> f32[N] { state seen: f32 = zeros param w: f32 = ones seen <- seen * 2 + 1 return x * w }
      net A(x: f32[N]) -> f32[N] { return x -> Count }
      train t { data x: f32[N] minimize mean(A(A(x))) over A by sgd(lr = 1) }`;
    const out = interpret(moduleOf(counter).trains[0]!.steps[0]!.graph, {
      x: f32([1], [1]),
      'A.Count.seen': scalar(5),
      'A.Count.w': scalar(1),
    });
    expect(out['A.Count.seen']).toEqual([23]);
  });
});

describe('randomness and initial values', () => {
  test('uniform and normal numbers have their moments, and sites differ', () => {
    const text = `train t { data x: f32[N] param p: f32 = zeros
      a = rand_like(x) b = rand_like(x) n = randn_like(x)
      metric mean_a = mean(a) metric low = min(a) metric high = max(a) metric same = mean(cast(a == b, f32))
      metric mean_n = mean(n) metric var_n = variance(n) minimize p over p by sgd(lr = 1) }`;
    const out = interpret(moduleOf(text).trains[0]!.steps[0]!.graph, {
      x: f32([5000], new Array(5000).fill(0)),
      key: key(),
      't.p': scalar(0),
    });
    const at = (name: string) => out[name]![0]!;
    expect(Math.abs(at('mean_a') - 0.5)).toBeLessThan(0.02);
    expect(at('low')).toBeGreaterThanOrEqual(0);
    expect(at('high')).toBeLessThan(1);
    expect(at('same')).toBeLessThan(0.01);
    expect(Math.abs(at('mean_n'))).toBeLessThan(0.05);
    expect(Math.abs(at('var_n') - 1)).toBeLessThan(0.1);
  });

  test('a net begins alike alone and in a program, and parameters differ', () => {
    const text = `net A(x: f32[N, 8]) -> f32[N, 8] { return x -> dense(8) -> dense(8) }
      train t { data x: f32[N, 8] minimize mean(A(x)) over A by sgd(lr = 1, momentum = 0.5) }`;
    const module = moduleOf(text);
    const alone = interpret(module.nets[0]!.init, { key: key(7) });
    const program = interpret(module.trains[0]!.init, { key: key(7) });
    expect(program['A.dense.weight']).toEqual(alone['A.dense.weight']);
    expect(alone['A.dense_2.weight']).not.toEqual(alone['A.dense.weight']);
    expect(alone['A.dense.bias']).toEqual(new Array(8).fill(0));
    expect(program['t.sgd.momentum.velocity.A.dense.bias']).toEqual(new Array(8).fill(0));
    const bound = Math.sqrt(6 / 16);
    expect(Math.max(...alone['A.dense.weight']!.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...alone['A.dense.weight']!.map(Math.abs))).toBeGreaterThan(bound * 0.9);
  });

  test('fans count the kernel', () => {
    const text = `fn mine(shape: int[], fan_in: int, fan_out: int) -> f32[...] { return zeros(shape) + fan_in * 1000 + fan_out }
      net A(x: f32[N, 2, 9]) -> f32[N, 4, _] { return x -> conv(4, 3, init = mine) -> conv(4, 1, init = kaiming(mode = "fan_out")) }`;
    expect(interpret(moduleOf(text).nets[0]!.init, { key: key() })['A.conv.weight']![0]).toBe(6012);
  });

  test('shifts change images in training alone', () => {
    const text = `net A(x: f32[N, 1, 3, 3]) -> f32[N, 1, 3, 3] { param w: f32 = ones return x * w }
      train t { data x: f32[N, 1, 3, 3] y = x -> random_shift(1) metric total_ = sum(y) minimize mean(A(y)) over A by sgd(lr = 1) }`;
    const {
      steps: [{ graph: step } = never()],
      evaluate,
    } = moduleOf(text).trains[0]!;
    const inputs = { x: f32([64, 1, 3, 3], new Array(576).fill(1)), key: key(), 'A.w': scalar(1) };
    const moved = interpret(step, inputs).total_![0]!;
    expect(moved).toBeLessThan(576);
    expect(moved).toBeGreaterThan(64 * 4);
    expect(interpret(evaluate, inputs).total_).toEqual([576]);
  });
});

test('roles and names of inputs and outputs', () => {
  const text = `net A(x: f32[N, 4]) -> f32[N, 3] { return x -> dense(3) }
    train t { data x: f32[N, 4] data y: i32[N] logits = A(x)
      metric accuracy = mean(cast(argmax(logits, axis = 1) == y, f32))
      minimize cross_entropy(logits, y) over A by sgd(lr = 0.1 / (1 + iter)) }`;
  const {
    steps: [{ graph: step } = never()],
    evaluate,
    nets,
  } = moduleOf(text).trains[0]!;
  const inputs = step.nodes.flatMap(n => (n.kind === 'input' ? [`${n.role} ${n.name}`] : []));
  expect(inputs).toEqual(['data x', 'data y', 'param A.dense.weight', 'param A.dense.bias', 'scalar iter']);
  expect(step.outputs.map(o => `${o.role} ${o.name}`)).toEqual([
    'metric loss',
    'metric accuracy',
    'update A.dense.weight',
    'update A.dense.bias',
  ]);
  expect(evaluate.outputs.map(o => `${o.role} ${o.name}`)).toEqual(['metric loss', 'metric accuracy']);
  expect(nets).toEqual(['A']);
  expect(
    interpret(evaluate, {
      x: f32([1, 4], [0, 0, 0, 0]),
      y: i32([1], [1]),
      'A.dense.weight': f32([3, 4], new Array(12).fill(0)),
      'A.dense.bias': f32([3], [0, 1, 0]),
    }).accuracy,
  ).toEqual([1]);
});
