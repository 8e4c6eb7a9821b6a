import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { afterAll, expect, it } from 'vitest';
import { gpuTarget } from '../../src/ir/target.ts';
import { generate, lenet, root } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-size-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An app as it is delivered: bundled, minified, without what it does not use. */
async function bundle(app: string): Promise<string> {
  const input = join(folder, 'app.js');
  writeFileSync(input, app);
  const build = await rolldown({
    input,
    resolve: { alias: { 'dnnc/runtime': join(root, 'runtime/index.ts') } },
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
