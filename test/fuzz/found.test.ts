import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildModel } from '../../src/codegen/model.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { compileText } from '../torch/run.ts';
import { agree } from './check.ts';
import { Counts } from './counts.ts';

const device = await getDevice();

/** Programs in which random search found that levels disagreed, by what was wrong. */
const found: Readonly<Record<string, string>> = {
  'integers divided by 0': `net Fuzz(x: i32[N, 7], y: u32[N, 7]) -> (a: i32[N, 7], b: i32[N, 7], c: i32[N, 7], d: u32[N, 7]) {
  z = x * 0
  return x % z, x ~/ (x % 2), primitive.div(x, x % 3), y % (y * 0) + y ~/ (y % 2)
}`,
  'a map joined its reduction though that says where it reads': `net Fuzz(v5: i32[1, N], v22: f32[N, 1]) -> f32[N, 3] {
  least = min(v5, axis = all)
  row = v22[reshape(least, 1) % 5]
  return broadcast(reshape(broadcast(reshape(row, 1), 3), 1, 3), N, 3)
}`,
  'terms that are the same in all lanes had accumulators of one': `net Fuzz(x: f32[3, 3], y: f32[N]) -> i32[3, N] {
  return argmax(broadcast(reshape(x, 3, 3, 1), 3, 3, N), axis = 1)
}`,
  'a vector whose first lanes lie before its tensor was read from 0': `net Fuzz(x: i32[N, 3]) -> i32[1] {
  return primitive.argmax(concat(max(x, axis = 0), max(x, axis = 0), axis = 0)[:4] % 2, axis = 0, keep = true)
}`,
  'a sum of nothing read what is not there': `net Fuzz(x: f32[N, 3]) -> f32[2] {
  nothing = max(x, axis = 0)[3:]
  return sum(reshape(nothing, 0, 2), axis = 0) + 1
}`,
};

describe('what random search found stays right', () => {
  test.each(Object.entries(found))('%s', async (_, text) => {
    for (const seed of [2, 3]) await agree({ text, sizes: [{ N: 1 }, { N: 4 }], seed }, new Counts(), device);
  });

  test('where a lookup behind a guard reads was itself read without the guard', async () => {
    const text = readFileSync(new URL('../cases/fuzz/guarded-lookup.dnn', import.meta.url), 'utf8');
    await agree({ text, sizes: [{ N: 4 }], seed: 901 }, new Counts(), device);
  });

  test('a load was held to be out of range though a computed coordinate in its guard kept it inside', async () => {
    const text = readFileSync(new URL('../cases/fuzz/computed-in-a-guard.dnn', import.meta.url), 'utf8');
    await agree({ text, sizes: [{ N: 1 }], seed: 1037 }, new Counts(), device);
  });

  test('updates that could not be written in place took more buffers than a kernel may have', () => {
    const text = readFileSync(new URL('../cases/fuzz/buffers-of-a-kernel.dnn', import.meta.url), 'utf8');
    const { compiled } = compileText('fuzz', text, gpuTarget);
    const counts = [...compiled.programs.values()].flatMap(p =>
      p.scheduled.flatMap(s => s.kernels.map(k => k.buffers.length)),
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(gpuTarget.maxStorageBuffersPerShaderStage);
  });

  test('the kernel of many tensors side by side nested too deep to compile', () => {
    const list = Array.from({ length: 300 }, (_, i) => (i % 2 ? '-x' : 'x')).join(', ');
    const text = `net Fuzz(x: f32[N, 2]) -> f32[N, 600] { return concat(${list}, axis = 1) }`;
    const { entries, compiled } = compileText('fuzz', text);
    const [kernel] = buildModel(entries[0]!, compiled.layout).programs.predict!.kernels;
    let [depth, deepest] = [0, 0];
    for (const c of kernel!.code) {
      if (c === '(') deepest = Math.max(deepest, ++depth);
      if (c === ')') depth--;
    }
    expect(deepest).toBeLessThan(60);
  });
});
