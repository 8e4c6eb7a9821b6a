import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toFloat16 } from '../../runtime/float16.ts';
import { readWeights, writeWeights } from '../../runtime/index.ts';
import { dnnc } from '../cli/helpers.ts';
import { getDevice } from '../gpu.ts';

const device = await getDevice();
const folder = mkdtempSync(join(tmpdir(), 'dnnc-half-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = at('pair.dnn');
writeFileSync(file, 'net Pair(x: f32[N, 2]) -> f32[N, 1] {\n  return x -> out: dense(1)\n}\n');
const x = { x: { dtype: 'f32', shape: [1, 2], data: Float32Array.of(1, 2) } } as const;
writeFileSync(at('x.safetensors'), writeWeights(x));

test('a compiled module asks for shader-f16, and its kernels enable it', async () => {
  const { code } = await dnnc('compile', file, '-o', folder, '--precision', 'f16');
  expect(code).toBe(0);
  expect(readFileSync(at('pair.js'), 'utf8')).toContain("features: ['shader-f16']");
  expect(readFileSync(at('pair.wgsl'), 'utf8')).toContain('enable f16;');
});

const run = (...more: string[]) =>
  dnnc(
    'run',
    file,
    '--net',
    'Pair',
    '--inputs',
    at('x.safetensors'),
    '--outputs',
    at('y.safetensors'),
    ...more,
  );

test.skipIf(!device || device.features.has('shader-f16'))('run says what the adapter lacks', async () => {
  const { code, err } = await run('--precision', 'f16', '--target', 'webgpu');
  expect(code).toBe(1);
  expect(err).toMatch(
    /error\[E0502\]: --precision f16: the adapter .+ lacks shader-f16\n hint: leave --precision away/,
  );
});

test.each(['interpret', ...(device ? ['webgpu'] : [])])('weights of either precision: %s', async target => {
  const weights = {
    'Pair.out.weight': { dtype: 'f16', shape: [1, 2], data: Uint16Array.of(toFloat16(0.5), toFloat16(-3)) },
    'Pair.out.bias': { dtype: 'f32', shape: [1], data: Float32Array.of(0.25) },
  } as const;
  writeFileSync(at('w.safetensors'), writeWeights(weights));
  const { code, err } = await run('--weights', at('w.safetensors'), '--target', target);
  expect([code, code === 0 ? '' : err]).toEqual([0, '']);
  const [y] = Object.values(readWeights(readFileSync(at('y.safetensors'))));
  expect([y!.dtype, [...y!.data]]).toEqual(['f32', [0.5 - 6 + 0.25]]);
});
