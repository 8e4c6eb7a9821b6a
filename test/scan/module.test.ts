import { describe, expect, it } from 'vitest';
import { openNet } from '../../runtime/index.ts';
import type { Model } from '../../runtime/plan.ts';
import type { TensorValue } from '../../runtime/tensor.ts';
import { printModule } from '../../src/codegen/module.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { compileText } from '../torch/run.ts';

const device = await getDevice();
const runtime = `data:text/javascript,${encodeURIComponent('export const openNet = model => model;')}`;

const text = `net Sums(x: f32[N, T]) -> (sums: f32[N, T], last: f32[N]) {
  r = scan(axis = 1) xt in x carry s = zeros(N) { s = s * 0.5 + xt  yield s }
  return r.out, r.s
}`;

const { entries, compiled } = compileText('sums', text, softwareTarget);
const code = printModule('sums.dnn', entries, compiled.layout, { runtime });

describe('the module of a net with a loop', () => {
  it('lists its loops after its dispatches', () => {
    expect(code).toMatch(
      / {2}\/\/ The first .*\n {2}loops: \[\n {4}\[\d, \d, \(N, T\) => T\], \/\/ Sums_r\n {2}\],\n/,
    );
    expect(code).toContain('{ // Sums_r_next_turn');
  });

  it.skipIf(!device)('runs at any length', async () => {
    const { loadSums } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      loadSums(): Promise<Model>;
    };
    const net = await openNet(await loadSums(), { device: device! });
    try {
      for (const [N, T] of [
        [1, 1],
        [2, 5],
        [3, 70],
      ] as const) {
        const data = Float32Array.from({ length: N * T }, (_, i) => (i % 7) - 3);
        const { sums, last } = (await net.predict({ data, shape: [N, T] })) as unknown as Record<
          string,
          TensorValue
        >;
        expect(sums!.shape).toEqual([N, T]);
        for (let n = 0; n < N; n++) {
          let s = 0;
          for (let t = 0; t < T; t++) {
            s = s * 0.5 + data[n * T + t]!;
            expect(sums!.data[n * T + t]).toBeCloseTo(s, 4);
          }
          expect(last!.data[n]).toBeCloseTo(s, 4);
        }
      }
    } finally {
      net.dispose();
    }
  });
});
