import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { generate, makeApp } from '../package/app.ts';

const device = await getDevice();
device?.destroy();

const program = `
net Tiny(x: f32[N, 4]) -> f32[N, 3] { return x -> hidden: dense(5) -> tanh -> head: dense(3) }
train fit {
  data x: f32[N, 4]
  data y: i32[N]
  loss = cross_entropy(Tiny(x), y)
  minimize loss over Tiny by sgd(lr = 0.1, momentum = 0.9)
}
`;

interface Held {
  readonly buffers: number;
  readonly heap: number;
  readonly process: number;
}

it.skipIf(!device)(
  'neither 10,000 predictions nor 100 times loading and disposing let the process grow',
  async () => {
    const app = makeApp();
    afterAll(app.remove);
    app.write('tiny.js', generate('tiny.dnn', program, softwareTarget));
    app.write('growth.js', readFileSync(join(import.meta.dirname, 'growth.js'), 'utf8'));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      // One malloc arena and a small nursery, so that what is free is given back; no code that comes and goes.
      ['--expose-gc', '--max-semi-space-size=1', '--no-opt', '--no-flush-bytecode', 'growth.js'],
      { cwd: app.folder, env: { ...process.env, MALLOC_ARENA_MAX: '1' } },
    );
    const measured = JSON.parse(stdout) as Record<string, { before: Held; after: Held }>;
    for (const [what, { before, after }] of Object.entries(measured)) {
      const change = {
        heap: after.heap - before.heap,
        process: after.process - before.process,
      };
      console.log(
        `${what}: heap ${change.heap.toFixed(2)} MB, process ${change.process.toFixed(1)} MB of ${after.process.toFixed(0)}`,
      );
      expect(after.buffers, what).toBe(before.buffers);
      // Noise. When a session stayed with its device, a hundred loads left 0.7 and 14.
      expect(change.heap, what).toBeLessThan(0.3);
      expect(change.process, what).toBeLessThan(5);
    }
    expect(measured.loads!.after.buffers).toBe(0);
  },
  120_000,
);
