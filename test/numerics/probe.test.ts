import { test, vi } from 'vitest';
import { open } from '../../runtime/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { generator } from '../arbitrary/numbers.ts';
vi.setConfig({ testTimeout: 600_000 });
const device = (await getDevice())!;
const M = 1_000_000;
const u = generator(1);
const gauss = () => { let s = 0; for (let i = 0; i < 12; i++) s += (u() + 1) / 2; return s - 6; };
const x = Float32Array.from({ length: M }, gauss);
const pos = Float32Array.from({ length: M }, () => Math.abs(u()) + 0.1);
const shifted = Float32Array.from({ length: M }, () => 1e4 + gauss());
const w = Float32Array.from({ length: 4 * M }, () => Math.abs(u()) + 0.1);
const rel = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);
const mean = (a: ArrayLike<number>) => { let s = 0; for (let i = 0; i < a.length; i++) s += a[i]!; return s / a.length; };
async function go(text: string, inputs: Record<string, { data: Float32Array; shape: number[] }>, target = softwareTarget, defines = {}) {
  const { compiled, entries, diagnostics } = compile({ name: 'p.dnn', text }, { target, only: n => n === 'P', defines });
  if (!compiled) throw new Error(diagnostics.map(d => d.message).join());
  const s = await open(buildModel(entries![0]!, compiled.layout), { device });
  const out = await s.run('predict', inputs);
  s.dispose();
  return out;
}
test('probe', async () => {
  for (const target of [softwareTarget, gpuTarget]) {
    for (const size of ['N', '1000000']) {
      const text = `net P(x: f32[${size}]) -> (s: f32, m: f32, v: f32, n: f32, l: f32) {\n  return sum(x), mean(x), variance(x), sqrt(sum(x ^ 2)), log_sum_exp(x)\n}\n`;
      for (const [name, data] of [['pos', pos], ['shifted', shifted]] as const) {
        const o = await go(text, { x: { data, shape: [M] } }, target);
        const m = mean(data); let v = 0, sq = 0, l = 0; const mx = data.reduce((a, b) => Math.max(a, b));
        for (const t of data) { v += (t - m) ** 2; sq += t * t; l += Math.exp(t - mx); }
        console.log(target.name, size, name, 'sum', rel(o.s!.data[0]!, m * M), 'mean', rel(o.m!.data[0]!, m), 'var', rel(o.v!.data[0]!, v / M), 'norm', rel(o.n!.data[0]!, Math.sqrt(sq)), 'lse', rel(o.l!.data[0]!, Math.log(l) + mx));
      }
    }
    for (const K of ['K', '1000000']) {
      const o = await go(`net P(a: f32[2, ${K}], b: f32[${K}, 2]) -> f32[2, 2] {\n  return a @ b\n}\n`, { a: { data: w.subarray(0, 2 * M), shape: [2, M] }, b: { data: w.subarray(2 * M), shape: [M, 2] } }, target);
      let s = 0; for (let i = 0; i < M; i++) s += w[i]! * w[2 * M + 2 * i]!;
      console.log(target.name, 'matmul', K, rel(Object.values(o)[0]!.data[0]!, s));
    }
    const o = await go(`net P(a: f32[32, 100000], b: f32[100000, 32]) -> f32[32, 32] {\n  return a @ b\n}\n`, { a: { data: w.subarray(0, 3200000), shape: [32, 100000] }, b: { data: w.subarray(800000, 4000000), shape: [100000, 32] } }, target);
    let s = 0; for (let i = 0; i < 100000; i++) s += w[i]! * w[800000 + 32 * i]!;
    console.log(target.name, 'matmul 32x32x1e5', rel(Object.values(o)[0]!.data[0]!, s));
    const bn = await go(`net P(x: f32[N, 2, H, H]) -> (m: f32[2], v: f32[2]) {\n  c = mean(x, axis = [0, 2, 3], keep = true)\n  return mean(x, axis = [0, 2, 3]), mean((x - c) ^ 2, axis = [0, 2, 3])\n}\n`, { x: { data: shifted, shape: [8, 2, 250, 250] } }, target);
    const ch: number[] = []; for (let n = 0; n < 8; n++) for (let i = 0; i < 62500; i++) ch.push(shifted[n * 125000 + i]!);
    const m = mean(ch); let v = 0; for (const t of ch) v += (t - m) ** 2;
    console.log(target.name, 'bn mean', rel(bn.m!.data[0]!, m), 'var', rel(bn.v!.data[0]!, v / ch.length));
  }
});
