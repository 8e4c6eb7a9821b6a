import { afterAll, describe, expect, it } from 'vitest';
import { open } from '../../runtime/index.ts';
import { requestDevice } from '../../runtime/node/index.ts';
import { getDevice } from '../gpu.ts';
import { affine, withProgram } from './affine.ts';
import { watch } from './watched.ts';

const found = await getDevice();
const weights = { w: new Float32Array([1, 2, 3, 4]), count: new Uint8Array([7]) };
const x = (n: number) => new Float32Array(4 * n).fill(0.5);
const step = { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) };

describe.skipIf(!found)("the caller's device", async () => {
  const device = found && (await requestDevice());
  const watched = device && watch(device);
  afterAll(() => {
    found?.destroy();
    device?.destroy();
  });

  /** Runs `work`, waits for the device, and finds nothing left or changed. */
  async function leavesAlone(work: () => Promise<unknown>): Promise<void> {
    let lost = false;
    device!.lost.then(() => {
      lost = true;
    });
    const handler = () => {};
    device!.onuncapturederror = handler;
    await work();
    await device!.queue.onSubmittedWorkDone();
    // Errors and losses are told in a later turn.
    await new Promise(later => setTimeout(later, 20));
    expect(device!.onuncapturederror).toBe(handler);
    expect(watched!.uncaptured).toEqual([]);
    expect(watched!.listeners()).toBe(0);
    expect(watched!.scopes()).toBe(0);
    expect(watched!.buffers.size).toBe(0);
    expect(watched!.destroyed()).toBe(false);
    expect(lost).toBe(false);
  }

  it('is as it was after opening, running, training, saving and disposing', async () => {
    await leavesAlone(async () => {
      const session = await open(affine, { device: device!, weights });
      await session.prepare('step');
      await Promise.all([1, 300, 2, 5000].map(n => session.run('predict', { x: x(n) }, { a: 2 })));
      await session.run('step', step, { a: 0.1 });
      await session.load(await session.save());
      expect(watched!.buffers.size).toBeGreaterThan(3);
      session.dispose();
    });
  });

  it('is as it was after a session that is disposed at any moment', async () => {
    const moments = [0, 1, 2, 3, 5, 8, 13, 21, 40];
    for (const turns of moments) {
      await leavesAlone(async () => {
        const session = await open(affine, { device: device!, weights });
        // Every second time everything is prepared, so that runs are submitted at once.
        if (turns % 2 === 0) await session.run('predict', { x: x(3) }, { a: 1 });
        const pending = [
          session.run('predict', { x: x(3) }, { a: 1 }),
          session.run('predict', { x: x(9000) }, { a: 1 }),
          session.run('step', step, { a: 1 }),
          session.save(),
          session.prepare('predict', { N: 40_000 }),
        ];
        for (let i = 0; i < turns; i++) await (i % 2 ? new Promise(setImmediate) : undefined);
        session.dispose();
        const results = await Promise.allSettled(pending);
        for (const r of results) {
          if (r.status === 'rejected') expect(String(r.reason)).toMatch(/the session is disposed/);
        }
        if (turns === 0) expect(results.map(r => r.status)).toEqual(Array(5).fill('rejected'));
      });
    }
  });

  it('is as it was after errors of every kind', async () => {
    const good = affine.programs.predict!;
    const kernel = { ...good.kernels[0]!, code: 'fn affine() { nonsense }' };
    const wide = [{ ...good.dispatches[0]!, groups: 2 ** 40 }];
    const less = [{ ...good.dispatches[0]!, bindings: good.dispatches[0]!.bindings.slice(1) }];
    const broken = {
      code: { ...good, kernels: [kernel] },
      wide: { ...good, dispatches: wide },
      less: { ...good, dispatches: less },
      huge: { ...good, arenaBytes: 2 ** 50 },
      // No integer that WebGPU takes: a TypeError where it is recorded.
      endless: { ...good, dispatches: [{ ...good.dispatches[0]!, groups: 2 ** 40 }] },
    };
    for (const [name, program] of Object.entries(broken)) {
      await leavesAlone(async () => {
        const session = await open(withProgram(name, program), { device: device!, weights });
        await expect(session.run(name, { x: x(1) }, { a: 1 }), name).rejects.toThrow();
        await expect(session.run('predict', { x: 3 as never }, { a: 1 })).rejects.toThrow('expected f32');
        await expect(session.load({ w: new Float32Array(3) })).rejects.toThrow('expected f32[4]');
        const { y } = await session.run('predict', { x: x(1) }, { a: 1 });
        expect(y!.data).toEqual(new Float32Array([1.5, 2.5, 3.5, 4.5]));
        session.dispose();
      });
    }
    await leavesAlone(async () => {
      await expect(open({ ...affine, stateBytes: 2 ** 50 }, { device: device!, weights })).rejects.toThrow();
      await expect(open(affine, { device: device!, weights: {} })).rejects.toThrow('missing');
      await expect(open({ ...affine, features: ['no-such'] }, { device: device! })).rejects.toThrow('lacks');
    });
  });

  it('tells its loss to a session that is open, also to one that comes after', async () => {
    const own = await requestDevice();
    const [first, second] = await Promise.all([1, 2].map(() => open(affine, { device: own, weights })));
    second!.dispose();
    own.destroy();
    expect(await first!.lost).toMatchObject({ reason: 'destroyed' });
    await expect(first!.run('predict', { x: x(1) }, { a: 1 })).rejects.toThrow('was lost');
    await expect(second!.run('predict', { x: x(1) }, { a: 1 })).rejects.toThrow('disposed');
    await expect(
      (async () => {
        const late = await open(affine, { device: own, weights });
        await late.lost;
        await late.run('predict', { x: x(1) }, { a: 1 });
      })(),
    ).rejects.toThrow(/was lost|Lost/);
  });
});
