import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Session } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { generator } from '../arbitrary/numbers.ts';
import { getDevice } from '../gpu.ts';
import { errorOf } from '../torch/case.ts';
import type { Arrays } from '../torch/run.ts';
import { compileText, openEntry } from '../torch/run.ts';
import { fromHost, toHost } from './single-op.ts';

const device = await getDevice();
const text = readFileSync(new URL('../../examples/lenet/lenet.dnn', import.meta.url), 'utf8');
const lenet = compileText(
  'lenet',
  text,
  device && isSoftware(device.adapterInfo) ? softwareTarget : gpuTarget,
);
const program = lenet.entries.find(e => e.kind === 'train')!.name;
const seed = 11;

/** Dots that depend on the class, so that there is something to learn. */
function batch(n: number, number: number): { x: NdArray; y: NdArray } {
  const next = generator(1000 * number + n);
  const labels = Array.from({ length: n }, () => Math.floor((next() + 1) * 5));
  const pixels = labels.flatMap(label =>
    Array.from({ length: 784 }, (_, i) => Math.floor((i % 10 === label ? 160 : 40) * (1 + next() / 2))),
  );
  return { x: ndarray('u8', [n, 1, 28, 28], pixels), y: ndarray('i32', [n], labels) };
}

const batches = Array.from({ length: 5 }, (_, i) => batch(8, i));

const openTrainer = (): Promise<Session> => openEntry(lenet, program, device!, { seed });

async function stateOf(session: Session): Promise<Arrays> {
  const read = session.model.state.map(async t => [t.name, fromHost(await session.read(t.name))]);
  return Object.fromEntries(await Promise.all(read)) as Arrays;
}

async function train(session: Session, data = batches): Promise<number[]> {
  const losses: number[] = [];
  for (const [step, { x, y }] of data.entries()) {
    const scalars = { epoch: step, iter: step, step };
    const { loss } = await session.run('step', { x: toHost(x), y: toHost(y) }, scalars);
    losses.push(loss!.data[0]!);
  }
  return losses;
}

/** One program by its graph's references, in f64; gives the outputs and the state afterwards. */
function interpret(name: string, all: Arrays): { outputs: Arrays; state: Arrays } {
  const { graph } = lenet.compiled.programs.get(name)!;
  const used = graphInputs(graph).map(i => [i.name, all[i.name]!] as const);
  const { outputs } = interpretGraph(graph, Object.fromEntries(used));
  const updates = graph.outputs.flatMap(o =>
    o.role === 'update' ? [[o.target!, outputs.get(o.name)!]] : [],
  );
  return { outputs: Object.fromEntries(outputs), state: { ...all, ...Object.fromEntries(updates) } };
}

const keyOf = (step: number): NdArray => ndarray('u32', [2], [seed, step]);
const scalar = (value: number): NdArray => ndarray('f32', [], [value]);

describe.skipIf(!device)('LeNet on the device', () => {
  // As long as it is open, Dawn gives its pipelines to others that ask for the same, which take seconds to compile.
  let open: Session;
  beforeAll(async () => {
    open = await openTrainer();
    await train(open, batches.slice(0, 1));
  });
  afterAll(() => open.dispose());

  test('starts, and goes on for five steps, as the interpreter does', async () => {
    const session = await openTrainer();
    const initial = await stateOf(session);
    const made = interpret(`${program}.init`, { key: keyOf(0) }).state;
    for (const [name, value] of Object.entries(initial))
      expect(errorOf(value, made[name]!), name).toBeLessThan(1e-5);

    const losses = await train(session);
    let state = initial;
    batches.forEach((data, step) => {
      const host = { key: keyOf(step), epoch: scalar(step), iter: scalar(step) };
      const result = interpret(`${program}.step`, { ...state, ...data, ...host });
      expect(Math.abs(losses[step]! - result.outputs.loss!.data[0]!), `loss of step ${step}`).toBeLessThan(
        1e-4,
      );
      state = result.state;
    });
    const final = await stateOf(session);
    for (const [name, value] of Object.entries(final)) {
      expect(errorOf(value, state[name]!), name).toBeLessThan(1e-3);
      expect(value.data, name).not.toEqual(initial[name]!.data);
    }
    session.dispose();
  });

  test('gives bit-identical weights for one seed, others for another', async () => {
    const run = async (openWith: () => Promise<Session>) => {
      const session = await openWith();
      const losses = await train(session, batches.slice(0, 3));
      const saved = await session.save();
      session.dispose();
      return { losses, saved };
    };
    const first = await run(openTrainer);
    const roles = lenet.compiled.layout.tensors.map(t => [t.name.startsWith('LeNet.'), t.role]);
    expect(new Set(roles.map(String))).toEqual(new Set(['true,param', 'false,state']));
    expect(await run(openTrainer)).toEqual(first);
    const other = await run(() => openEntry(lenet, program, device!, { seed: seed + 1 }));
    expect(other.saved).not.toEqual(first.saved);
  });

  test('predicts from the trained weights for any batch size with one set of pipelines', async () => {
    const session = await openTrainer();
    await train(session, batches.slice(0, 1));
    const weights = await stateOf(session);
    const made = vi.spyOn(device!, 'createComputePipelineAsync');
    try {
      for (const n of [1, 3, 8, 1]) {
        const { x } = batch(n, 9);
        const images = { ...x, dtype: 'f32' as const, data: x.data.map(v => Math.fround(v / 255)) };
        const result = Object.values(await session.run('net:LeNet', { x: toHost(images) }))[0]!;
        const expected = Object.values(interpret('LeNet', { ...weights, x: images }).outputs)[0]!;
        expect(result.shape).toEqual([n, 10]);
        expect(errorOf(fromHost(result), expected), `N = ${n}`).toBeLessThan(1e-4);
      }
      const kernels = new Set(session.model.programs['net:LeNet']!.kernels.map(k => k.code));
      expect(made.mock.calls.length).toBeGreaterThan(0);
      expect(made.mock.calls.length).toBeLessThanOrEqual(kernels.size);
    } finally {
      made.mockRestore();
    }
    session.dispose();
  });

  test('leaves the device of the caller alone', async () => {
    let lost = false;
    void device!.lost.then(() => {
      lost = true;
    });
    const first = await openTrainer();
    await train(first, batches.slice(0, 1));
    first.dispose();
    const second = await openTrainer();
    expect(await train(second, batches.slice(0, 1))).toHaveLength(1);
    expect(lost).toBe(false);
    second.dispose();
  });
});
