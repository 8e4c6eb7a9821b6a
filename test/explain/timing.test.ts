import { describe, expect, it, vi } from 'vitest';
import { open as openOnDevice, type TensorValue } from '../../runtime/index.ts';
import { open as openInWasm } from '../../runtime/wasm/index.ts';
import { cutForGpu, cutForWasm } from '../../src/cli/explain/alone.ts';
import { clockOf, timestamps, untilDone } from '../../src/cli/explain/clocks.ts';
import { timePrograms } from '../../src/cli/explain/timing.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { compile } from '../../src/compile.ts';
import { softwareTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

const device = await getDevice();

/** Constants, an input that is read late, and something for threads. */
const text = `
net A(x: f32[N, 3, 8, 8]) -> f32[N, 5] {
  y = x -> conv(4, 3, pad = 1) -> batch_norm -> relu -> max_pool(2)
  return y -> flatten -> dense(5) -> add(mean(x))
}
train fit {
  data x: f32[N, 3, 8, 8]
  data y: i32[N]
  loss = cross_entropy(A(x), y)
  minimize loss over A by sgd(lr = 0.1, momentum = 0.9)
}
train own {
  data x: f32[N, 3]
  param p: f32[N, 3] = x
  loss = mean(p * p)
  minimize loss over p by sgd(lr = 0.1)
}
net R(x: f32[N, T, 3]) -> f32[N, T, 4] { return x -> rnn(4) }
`;

/** An entry's programs alone. */
function compiledFor(target: Target, name: string) {
  const only = (program: string) => program === name || program.startsWith(`${name}.`);
  const { compiled, entries } = compile({ name: 'net.dnn', text }, { target, only, sizes: { N: 3 } });
  return { ...compiled!, entry: entries!.find(e => e.name === name)! };
}

const values = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i));
const inputOf = (n: number) => ({ data: values(n * 3 * 64), shape: [n, 3, 8, 8] });
const bits = (found: Record<string, TensorValue>): unknown => Object.values(found).map(t => [...t.data]);

describe('a program cut into its dispatches', () => {
  // For a batch of 16 there is a plan of its own.
  it.each([3, 16])('gives the same results, in WebAssembly, of %d examples', async N => {
    const x = inputOf(N);
    const { layout, entry } = compiledFor(wasmTarget, 'A');
    const built = await buildWasmModel(entry, layout);
    const plans = built.programs.predict!;
    const whole = plans.find(p => p.fits?.(N) ?? true)!;
    expect(plans.indexOf(whole)).toBe(N === 3 ? 1 : 0);
    expect(whole.prologue).toBeGreaterThan(0);
    const parts = cutForWasm(plans, [N]);
    const each = Array.from({ length: parts.dispatches }, (_, i) => parts.alone(i, 1));
    const programs = {
      ...built.programs,
      inputs: [parts.inputs],
      outputs: [{ ...parts.nothing, outputs: whole.outputs }],
      ...Object.fromEntries(each.map((p, i) => [`${i}`, [p]])),
    };
    const session = await openInWasm({ ...built, programs });
    // In memory that does not move.
    for (const name of Object.keys(programs)) if (name !== 'init') await session.prepare(name, { N });
    const wanted = await session.run('predict', { x });
    // Nothing of the whole's may be taken for the parts'.
    await session.run('predict', { x: { ...x, data: x.data.map(v => 2 * v) } });
    await session.run('inputs', { x });
    for (const i of each.keys()) await session.run(`${i}`, {}, { N });
    expect(bits(await session.run('outputs', {}, { N }))).toEqual(bits(wanted));
    session.dispose();
  });

  it.skipIf(!device)('gives the same results, on the adapter', async () => {
    const x = inputOf(3);
    const { layout, entry } = compiledFor(softwareTarget, 'A');
    const built = buildModel(entry, layout);
    const whole = built.programs.predict!;
    const parts = cutForGpu(whole);
    const each = Array.from({ length: parts.dispatches }, (_, i) => parts.alone(i, i === 0 ? 3 : 1));
    const programs = {
      ...built.programs,
      inputs: parts.inputs,
      outputs: { ...parts.nothing, outputs: whole.outputs },
      ...Object.fromEntries(each.map((p, i) => [`${i}`, p])),
    };
    const session = await openOnDevice({ ...built, programs }, { device: device! });
    const wanted = await session.run('predict', { x });
    await session.run('predict', { x: { ...x, data: x.data.map(v => 2 * v) } });
    await session.run('inputs', { x });
    for (const i of each.keys()) await session.run(`${i}`, {}, { N: 3 });
    expect(bits(await session.run('outputs', {}, { N: 3 }))).toEqual(bits(wanted));
    session.dispose();
  });
});

/** Times of all programs of an entry. */
async function timesOf(name: string, dims: Record<string, number>, target: Target, on?: GPUDevice) {
  const { layout, programs, entry } = compiledFor(target, name);
  const timed = entry.programs.map(p => ({ name: p.name, plan: p.plan, dims }));
  const found = await timePrograms(entry, layout, timed, { device: on });
  expect([...found.keys()]).toEqual(timed.map(t => t.name));
  for (const { name: program, plan } of timed) {
    const { run, kernels } = found.get(program)!;
    expect(run).toBeGreaterThan(0);
    expect(kernels).toHaveLength(plan.dispatches.length);
    for (const ms of kernels) expect(ms).toBeGreaterThanOrEqual(0);
    expect(Math.max(...kernels)).toBeGreaterThan(0);
  }
  return { found, programs };
}

describe('times', () => {
  it('come from WebAssembly, of training steps too, and of what begins as data', async () => {
    await timesOf('fit', { N: 3 }, wasmTarget);
    await timesOf('own', { N: 3 }, wasmTarget);
    await timesOf('R', { N: 2, T: 6 }, wasmTarget);
  });

  it('tell a long kernel from a short one', async () => {
    const source = {
      name: 'net.dnn',
      text: 'net A(x: f32[300, 400]) -> f32[300, 4] { return x -> dense(1000) -> tanh -> dense(4) }',
    };
    const { compiled, entries } = compile(source, { target: wasmTarget });
    const { plan } = compiled!.programs.get('A')!;
    const found = await timePrograms(entries![0]!, compiled!.layout, [{ name: 'predict', plan, dims: {} }], {
      threads: 1,
    });
    const { kernels } = found.get('predict')!;
    const of = (absorbed: string, n: number): number =>
      kernels.filter((_, i) => plan.dispatches[i]!.scheduled.schedule!.absorbed.join() === absorbed)[n]!;
    // 240 million operations against 2.4 million.
    expect(of('matmul,add,tanh', 0)).toBeGreaterThan(5 * of('matmul,add', 0));
  });

  it.skipIf(!device)('come from the adapter, by its clock or without', async () => {
    expect(clockOf({ features: new Set() } as unknown as GPUDevice)).toBe(untilDone);
    if (device!.features.has('timestamp-query')) expect(clockOf(device!).name).toBe(timestamps(device!).name);
    await timesOf('fit', { N: 3 }, softwareTarget, device);
    const features = new Set([...device!.features].filter(f => f !== 'timestamp-query'));
    const plain: GPUDevice = Object.create(device!, { features: { value: features } });
    expect(clockOf(plain)).toBe(untilDone);
  });

  it.skipIf(!device)('leave the device as it was', async () => {
    const before = device!.createCommandEncoder;
    await expect(clockOf(device!).time([() => Promise.reject(new Error('no'))])).rejects.toThrow('no');
    expect(device!.createCommandEncoder).toBe(before);
  });
});
