import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { afterAll, expect, it } from 'vitest';
import { printAutoModule } from '../../src/codegen/auto-module.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import { generate, generateWasm, lenet, root } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-size-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An app as it is delivered: bundled, minified, without what it does not use. */
async function bundle(app: string): Promise<string> {
  const input = join(folder, 'app.js');
  writeFileSync(input, app);
  const build = await rolldown({
    input,
    resolve: {
      alias: {
        'dnnc/runtime/wasm': join(root, 'runtime/wasm/index.ts'),
        'dnnc/runtime': join(root, 'runtime/index.ts'),
      },
    },
    onLog(_, log) {
      throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ minify: true, format: 'es' });
  await build.close();
  expect(output).toHaveLength(1);
  return output[0].code;
}

it('LeNet with the runtime takes at most 12 KB of a page, compressed', async () => {
  writeFileSync(join(folder, 'lenet.js'), generate('lenet.dnn', lenet(), gpuTarget));
  const code = await bundle(
    "import { loadLeNet } from './lenet.js';\nglobalThis.load = () => loadLeNet({ weights: 'w.safetensors' });\n",
  );
  const bytes = gzipSync(code, { level: 9 }).length;
  const alone = await bundle("export { openNet } from 'dnnc/runtime';\n");
  console.log(
    `LeNet and runtime: ${code.length} bytes, ${bytes} compressed; the runtime alone ${gzipSync(alone, { level: 9 }).length}`,
  );
  expect(bytes).toBeLessThanOrEqual(12_288);
  // Nothing of the training program and its runtime came along.
  expect(code).not.toContain('net:');
  expect(code).not.toContain('mnist');
  // The strings of the errors are there: what was measured is the whole runtime.
  expect(code).toContain('the GPU device was lost');
});

it('LeNet for WebAssembly takes at most 8 KB beside its kernels, with nothing of the other target', async () => {
  const { js, wasm } = await generateWasm('lenet.dnn', lenet());
  writeFileSync(join(folder, 'lenet-wasm.js'), js);
  const code = await bundle(
    "import { loadLeNet } from './lenet-wasm.js';\nglobalThis.load = () => loadLeNet({ weights: 'w.safetensors' });\n",
  );
  const worker = readFileSync(join(root, 'runtime/wasm/worker.js'));
  const [all, threads, kernels] = [code, worker, wasm].map(part => gzipSync(part, { level: 9 }).length);
  console.log(
    `LeNet and runtime: ${code.length} bytes, ${all} compressed; worker ${threads}; kernels with training ${kernels}`,
  );
  expect(all! + threads!).toBeLessThanOrEqual(8192);
  expect(code).not.toContain('mnist');
  expect(code).not.toContain('GPU device');
  expect(code).not.toMatch(/createBindGroup|navigator\.gpu/);
  // What bundlers look for, and an error of the runtime.
  expect(code).toMatch(/new URL\([`'"].\/lenet.wasm[`'"], ?import\.meta\.url\)/);
  expect(code).toMatch(/new Worker\(new URL\([`'"].\/worker.js[`'"], ?import\.meta\.url\)/);
  expect(code).toContain('all together with parameters');
});

it('the module for both targets loads neither before it is asked to', async () => {
  const { compiled, entries } = compile({ name: 'lenet.dnn', text: lenet() });
  expect(compiled).toBeDefined();
  const js = printAutoModule('lenet.dnn', entries!, {
    ...{ webgpu: 'lenet.webgpu.js', wasm: 'lenet.wasm.js' },
    runtime: join(root, 'runtime/auto/index.ts'),
  });
  writeFileSync(join(folder, 'auto.js'), js);
  for (const name of ['lenet.webgpu.js', 'lenet.wasm.js'])
    writeFileSync(
      join(folder, name),
      `export const loadLeNet = options => [${JSON.stringify(name)}, options];`,
    );
  const build = await rolldown({ input: join(folder, 'auto.js') });
  const { output } = await build.generate({ minify: true, format: 'es' });
  await build.close();
  const [main] = output;
  expect(output).toHaveLength(3);
  console.log(`what chooses: ${gzipSync(main.code, { level: 9 }).length} bytes compressed`);
  expect(gzipSync(main.code, { level: 9 }).length).toBeLessThan(600);
  expect(main.imports).toEqual([]);
});
