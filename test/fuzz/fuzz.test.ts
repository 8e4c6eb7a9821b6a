import { expect, test } from 'vitest';
import { getDevice } from '../gpu.ts';
import { Counts } from './counts.ts';
import { fuzz } from './fuzz.ts';

/** Set DNNC_SEED for other programs, DNNC_RUNS for more of them; `npm run fuzz` runs for as long as it is told. */
const seed = Number(process.env.DNNC_SEED ?? 100);
const runs = Number(process.env.DNNC_RUNS ?? 8);

const device = await getDevice();

test('random programs mean the same at every level', async () => {
  const counts = new Counts();
  for (let i = 0; i < runs; i++) {
    const failure = await fuzz(seed + i, { least: 20, most: 60 }, counts, { device });
    if (failure) throw new Error(`${failure.message}\n${failure.text}`);
  }
  expect(counts.of('compared', 'yes')).toBeGreaterThan(runs);
}, 600_000);
