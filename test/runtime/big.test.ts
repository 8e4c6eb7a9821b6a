import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { BufferError, type Model, open } from '../../runtime/index.ts';
import { findAdapter } from '../../runtime/node/adapters.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { getDevice } from '../gpu.ts';
import { affine, withProgram } from './affine.ts';

const weights = { w: new Float32Array([1, 2, 3, 4]), count: new Uint8Array([7]) };
const predict = affine.programs.predict!;

function modelOf(text: string): Model {
  const { entries, compiled } = compile({ name: 'big.dnn', text });
  return buildModel(entries![0]!, compiled!.layout);
}
/** 411 MB of weights. */
const wide = modelOf('net Wide(x: f32[N, 25088]) -> f32[N, 4096] { return x -> dense(4096) }');
const fixed = modelOf('net Wide(x: f32[8, 25088]) -> f32[8, 4096] { return x -> dense(4096) }');

const any = await getDevice();
/** With WebGPU's default limits, as a caller may have it. */
const device = any && (await (await findAdapter('auto', [])).requestDevice());

describe.skipIf(!device)('a device with the default limits', () => {
  afterAll(() => {
    device?.destroy();
    any?.destroy();
  });

  /** Whatever is refused, no buffer was made before. */
  async function refused(act: () => Promise<unknown>): Promise<Error> {
    const made = vi.spyOn(device!, 'createBuffer');
    const error = await act().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(made).not.toHaveBeenCalled();
    made.mockRestore();
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }

  it('is refused for what it lacks, by the names of limit and tensor', async () => {
    const { message } = await refused(() => open(wide, { device: device! }));
    expect(message).toBe(
      'Wide: the given device lacks ' +
        'maxBufferSize of 411058176 for parameters and states (it has 268435456), ' +
        'maxStorageBufferBindingSize of 411041792 for Wide.dense.weight: f32[4096, 25088] (it has 134217728)',
    );
  });

  it('is asked before anything is made for the sizes of a run', async () => {
    const big = withProgram('big', { ...predict, arenaBytes: N => 16 * N! + 256 });
    const session = await open(big, { device: device!, weights });
    const error = await refused(() => session.prepare('big', { N: 10_000_000 }));
    expect(error).toBeInstanceOf(BufferError);
    expect(error.message).toBe(
      'Affine.big with N = 10000000: x of kernel affine takes 152.6 MiB, ' +
        'the device allows 128.0 MiB (maxStorageBufferBindingSize)',
    );
    const arena = await refused(() => session.prepare('predict', { N: 10_000_000 }));
    expect(arena.message).toMatch(
      /^Affine\.predict with N = 10000000 takes 305\.2 MiB, .*\(maxBufferSize\)$/,
    );
    expect((await session.run('predict', { x: new Float32Array(4) }, { a: 1 })).y!.data).toEqual(weights.w);
    session.dispose();
  });

  it('names a parameter that is too large by its own name', async () => {
    const [w, count] = affine.state;
    const state = [{ ...w!, name: 'Affine.weight' }, count!];
    const [dispatch] = predict.dispatches;
    const bindings = [...dispatch!.bindings.slice(0, 2), [0, 0, (N: number) => 2 ** 28 * N] as never];
    const model = { ...withProgram('big', { ...predict, dispatches: [{ ...dispatch!, bindings }] }), state };
    const own = { 'Affine.weight': weights.w, count: weights.count };
    const session = await open(model, { device: device!, weights: own });
    const { message } = await refused(() => session.prepare('big', { N: 1 }));
    expect(message).toContain('Affine.big with N = 1: Affine.weight of kernel affine takes 256.0 MiB');
    session.dispose();
  });

  it('is never sent what kernels cannot count', async () => {
    const counts = [['loss', (N: number) => 1000 * N] as never];
    const session = await open(withProgram('long', { ...predict, counts }), { device: device!, weights });
    const { message } = await refused(() => session.prepare('long', { N: 3_000_000 }));
    expect(message).toBe(
      'Affine.long with N = 3000000: loss counts to 3000000000, at most 2147418112 in 32 bits',
    );
    await session.prepare('long', { N: 2 });
    session.dispose();
  });
});

describe('a device that the model asks for itself', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** What is asked of an adapter with these limits. */
  async function asked(model: Model, limits: Record<string, number>): Promise<unknown> {
    const requestDevice = vi.fn(() => Promise.reject(new Error('asked')));
    const adapter = { features: new Set(), limits, requestDevice };
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
    const error = await open(model).catch((e: unknown) => e);
    const [call] = requestDevice.mock.calls as unknown as [{ requiredLimits: unknown }][];
    return call?.[0].requiredLimits ?? (error as Error).message;
  }
  const large = { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 32 - 4 };

  it('has exactly the limits that are needed where all sizes are known', async () => {
    expect(await asked(fixed, large)).toEqual({
      maxBufferSize: fixed.stateBytes,
      maxStorageBufferBindingSize: 4 * 4096 * 25088,
    });
  });

  it('has the largest buffers of the adapter where sizes are free', async () => {
    expect(await asked(wide, large)).toEqual(large);
  });

  it('is not asked of an adapter that lacks them', async () => {
    expect(await asked(wide, { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 28 })).toBe(
      'Wide: the GPU adapter lacks maxStorageBufferBindingSize of 411041792 ' +
        'for Wide.dense.weight: f32[4096, 25088] (it has 268435456)',
    );
  });
});
