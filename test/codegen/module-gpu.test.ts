import { describe, expect, it } from 'vitest';
import { openNet, openTrainer } from '../../runtime/index.ts';
import type { Model } from '../../runtime/plan.ts';
import type { TensorValue } from '../../runtime/tensor.ts';
import type { ModuleEntry } from '../../src/codegen/entry.ts';
import { printModule } from '../../src/codegen/module.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyPlan } from '../../src/ir/verify/plan.ts';
import * as B from '../../src/ops/build.ts';
import { cast } from '../../src/ops/cast.ts';
import { randomBits } from '../../src/ops/random-bits.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { compileModule } from '../../src/passes/pipeline.ts';
import { getDevice } from '../gpu.ts';

const device = await getDevice();
const N = D.symbol('N');
const vector = tensor('f32', [4]);

/** y = (x + a) * b, a, b of shape [4]. */
function forward(b: GraphBuilder, x: ReturnType<GraphBuilder['input']>) {
  const [first, second] = ['Net.a', 'Net.b'].map(name => b.input('param', name, vector));
  return { a: first!, b: second!, y: B.mul(b, B.add(b, x, first!), second!) };
}

function compiled(): { entries: ModuleEntry[]; code: string } {
  const predict = new GraphBuilder('Net');
  const result = forward(predict, predict.input('input', 'x', tensor('f32', [N, 4])));
  predict.output({ name: 'y', role: 'result', value: result.y });

  const init = new GraphBuilder('init');
  const key = init.input('key', 'key', tensor('u32', [2]));
  const bits = init.emit(randomBits, [key], { shape: [D.constant(4)], site: 1 });
  const random = B.mul(init, init.emit(cast, [bits], { dtype: 'f32' }), 2 ** -32);
  init.output({ name: 'Net.a', role: 'update', value: random, target: 'Net.a' });
  init.output({ name: 'Net.b', role: 'update', value: B.full(init, 2, vector), target: 'Net.b' });

  // Each step: loss = sum(tanh(y)), a -= iter + 1, b -= iter + 1.
  const training = (updates: boolean) => {
    const g = new GraphBuilder('step');
    const x = g.input('data', 'x', tensor('f32', [N, 4]));
    const { a, b, y } = forward(g, g.emit(cast, [x], { dtype: 'f32' }));
    const loss = B.reduceSum(g, g.emit(tanh, [y]), [0, 1]);
    g.output({ name: 'loss', role: 'metric', value: loss });
    if (updates) {
      const rate = B.add(g, g.input('scalar', 'iter', tensor('f32', [])), 1);
      for (const [target, p] of [
        ['Net.a', a],
        ['Net.b', b],
      ] as const)
        g.output({ name: target, role: 'update', value: B.sub(g, p, rate), target });
    }
    return g.build();
  };
  const module = {
    nets: [{ name: 'Net', predict: predict.build(), init: init.build() }],
    trains: [
      {
        name: 'fit',
        steps: [{ name: 'step', every: 1, graph: training(true) }],
        evaluate: training(false),
        init: init.build(),
        sizes: [],
        nets: ['Net'],
      },
    ],
  };
  const { programs, layout } = compileModule(module, { target: softwareTarget, diagnostics: [] });
  for (const { plan } of programs.values()) expect(verifyPlan(plan, layout)).toEqual([]);
  const plan = (name: string, key: string) => ({ name, plan: programs.get(key)!.plan });
  const entries: ModuleEntry[] = [
    { kind: 'net', name: 'Net', programs: [plan('predict', 'Net'), plan('init', 'Net.init')] },
    {
      kind: 'train',
      name: 'fit',
      programs: [
        plan('init', 'fit.init'),
        plan('step', 'fit.step'),
        plan('evaluate', 'fit.evaluate'),
        plan('net:Net', 'Net'),
      ],
    },
  ];
  const runtime = `data:text/javascript,${encodeURIComponent('export const openNet = model => model; export const openTrainer = openNet;')}`;
  return { entries, code: printModule('net.dnn', entries, layout, { runtime }) };
}

describe.skipIf(!device)('a printed module on a device', () => {
  it('predicts, steps, evaluates, saves and goes on', async () => {
    const module: Record<string, () => Promise<Model>> = await import(
      `data:text/javascript,${encodeURIComponent(compiled().code)}`
    );
    const options = { device: device!, seed: 7 };
    const trainer = await openTrainer(await module.loadFit!(), options);
    const a = async () => Array.from((await trainer.session.read('Net.a')).data);
    const start = await a();
    expect(new Set(start).size).toBe(4);
    expect(start.every(v => v >= 0 && v <= 1)).toBe(true);

    const images = Float32Array.from({ length: 12 }, (_, i) => i % 3);
    const loss = (b: number, shift: number) =>
      images.reduce((sum, x, i) => sum + Math.tanh((x + start[i % 4]! - shift) * b), 0);
    expect((await trainer.evaluate({ x: images })).loss).toBeCloseTo(loss(2, 0), 3);
    const [one, two] = await Promise.all([
      trainer.step({ x: images }),
      trainer.step({ x: images }, { epoch: 1 }),
    ]);
    expect(one.loss).toBeCloseTo(loss(2, 0), 3);
    expect(two.loss).toBeCloseTo(loss(1, 1), 3);
    expect(trainer.steps).toBe(2);
    expect(await a()).toEqual(start.map(v => expect.closeTo(v - 3, 4)));

    const x = new Float32Array(8).fill(1);
    const y = (await trainer.nets.Net!.predict(x)) as TensorValue;
    expect(y.shape).toEqual([2, 4]);
    const net = await openNet(await module.loadNet!(), { ...options, weights: await trainer.save() });
    expect(await net.predict({ data: x, shape: [2, 4] })).toEqual(y);
    const fresh = await openNet(await module.loadNet!(), options);
    await expect(fresh.predict(x)).rejects.toThrow(/no weights/);
    for (const opened of [trainer, net, fresh]) opened.dispose();
  });
});
