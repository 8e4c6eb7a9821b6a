import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openNet, openTrainer, type WasmModel } from '../../runtime/wasm/index.ts';
import { printAutoModule } from '../../src/codegen/auto-module.ts';
import type { ModuleEntry } from '../../src/codegen/entry.ts';
import { printTypes } from '../../src/codegen/types.ts';
import { printWasm } from '../../src/codegen/wasm/module.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { printWasmModule } from '../../src/codegen/wasm-module.ts';
import { compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { wasmTarget } from '../../src/ir/target.ts';
import { data } from '../package/printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-wasm-module-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = `
net Tiny(x: f32[N, 4]) -> f32[N, 3] {
  return x -> hidden: dense(5) -> tanh -> head: dense(3)
}

train fit {
  data x: f32[N, 4]
  data y: i32[N]
  loss = cross_entropy(Tiny(x), y)
  minimize loss over Tiny by sgd(lr = 0.1, momentum = 0.9)
}
`;
const { compiled, entries } = compile({ name: 'tiny.dnn', text }, { target: wasmTarget });
const { layout } = compiled!;
const [net, fit] = entries as [ModuleEntry, ModuleEntry];
const stub = data('export const openNet = model => model; export const openTrainer = openNet;');

let files = 0;
/** The models of a printed module, by their `load` functions. */
async function models(
  entries: readonly ModuleEntry[],
  wasm = 'tiny.wasm',
): Promise<Record<string, WasmModel>> {
  const { js } = printWasmModule('tiny.dnn', entries, layout, { wasm, runtime: stub });
  const file = join(folder, `module-${files++}.mjs`);
  writeFileSync(file, js);
  const module: Record<string, () => Promise<WasmModel>> = await import(
    /* @vite-ignore */ pathToFileURL(file).href
  );
  return Object.fromEntries(
    await Promise.all(Object.entries(module).map(async ([name, load]) => [name, await load()] as const)),
  );
}

/** With every function of sizes called. */
const evaluated = (value: unknown, n: number): unknown => {
  if (typeof value === 'function') return value(n);
  if (Array.isArray(value)) return value.map(v => evaluated(v, n));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, evaluated(v, n)]));
};

describe('printWasmModule', () => {
  it('prints a module for people', async () => {
    const { js } = printWasmModule('tiny.dnn', [net], layout, { wasm: 'tiny.wasm' });
    const parts = [
      "import { openNet } from 'dnnc/runtime/wasm';",
      "const wasm = new URL('./tiny.wasm', import.meta.url);",
      '// Tiny: predict\nconst Tiny_predict = {',
      // For large batches and for small ones.
      '  programs: { predict: [Tiny_predict, Tiny_predict_2] },\n  module: wasm,\n};',
      '// net Tiny, tiny.dnn:2:5\nexport async function loadTiny(options) {\n  return openNet(TinyModel, options);',
    ];
    for (const part of parts) expect(js).toContain(part);
    expect(js).toMatch(/, tiny\.dnn:3:23\n +kernel: \d,/);
    // An app brings trained weights.
    expect(js).not.toContain('init');
    const auto = printAutoModule('tiny.dnn', entries!, { webgpu: 'tiny.webgpu.js', wasm: 'tiny.wasm.js' });
    await expect(auto).toMatchFileSnapshot('expected/tiny.auto.js.txt');
    expect(printTypes('tiny.dnn', entries!, { runtime: 'dnnc/runtime/auto' })).toContain(
      "from 'dnnc/runtime/auto'",
    );
  });

  it('prints what buildWasmModel builds', async () => {
    const { loadFit } = await models([fit]);
    const built = await buildWasmModel(fit, layout);
    for (const n of [1, 7, 64])
      expect(evaluated({ ...loadFit, module: 0 }, n)).toEqual(evaluated({ ...built, module: 0 }, n));
    const writes = Object.entries(built.programs).map(([name, [p]]) => [name, p!.writes]);
    expect(Object.fromEntries(writes)).toEqual({
      ...{ step: true, init: true },
      ...{ evaluate: false, 'net:Tiny': false },
    });
  });

  it('says of variants when they fit, and numbers their kernels in the one file', async () => {
    const [predict] = net.programs;
    const { plan } = predict!;
    const N = D.symbol('N');
    const variant = {
      plan: { ...plan, prologue: 1, constantBytes: D.mul(N, D.constant(256)) },
      fits: [D.sub(N, D.constant(7))],
    };
    const entry = { ...net, programs: [{ ...predict!, variants: [variant] }] };
    const { loadTiny } = await models([entry]);
    const [many, any] = loadTiny!.programs.predict!;
    expect([7, 8].map(n => many!.fits!(n))).toEqual([false, true]);
    expect(many).toMatchObject({ prologue: 1 });
    expect(evaluated(many!.constantBytes, 3)).toBe(768);
    expect(any!.fits).toBeUndefined();
    expect(any).toMatchObject({ prologue: 0, constantBytes: 0 });
    expect(many!.dispatches.map(d => d.kernel)).toEqual(any!.dispatches.map(d => d.kernel));
    const built = await buildWasmModel(entry, layout);
    for (const n of [1, 8])
      expect(evaluated({ ...loadTiny, module: 0 }, n)).toEqual(evaluated({ ...built, module: 0 }, n));
  });

  it('finds a file of any name beside it', async () => {
    for (const name of ["a b'%41#?.wasm", 'ü\n.wasm', '\ud800.wasm', '../x.wasm', 'c:x.wasm']) {
      const { loadTiny } = await models([net], name);
      const url = loadTiny!.module as URL;
      expect(new URL('.', url).href).toBe(pathToFileURL(`${folder}/`).href);
      expect(decodeURIComponent(url.pathname.split('/').at(-1)!)).toBe(name.replace('\ud800', '\ufffd'));
    }
  });

  it('gives modules that train and predict', async () => {
    const { kernels } = printWasmModule('tiny.dnn', entries!, layout, { wasm: 'tiny.wasm' });
    writeFileSync(join(folder, 'tiny.wasm'), await printWasm(kernels));
    const { loadFit, loadTiny } = await models(entries!);
    const trainer = await openTrainer(loadFit!, { seed: 1, threads: 1 });
    const x = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i));
    const y = Int32Array.from({ length: 8 }, (_, i) => i % 3);
    const losses = [];
    for (let i = 0; i < 30; i++) losses.push((await trainer.step({ x, y })).loss as number);
    expect(losses[29]).toBeLessThan(losses[0]! / 2);
    const weights = await trainer.save();
    const tiny = await openNet(loadTiny!, { weights, extra: true, threads: 1 });
    expect(await tiny.predict(x)).toEqual(await trainer.nets.Tiny!.predict(x));
    expect(tiny.device).toBeUndefined();
    trainer.dispose();
    tiny.dispose();
  });
});
