import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { printAutoModule } from '../../src/codegen/auto-module.ts';
import { compile } from '../../src/compile.ts';
import { generateWasm, lenet, makeApp } from '../package/app.ts';
import { findChromium } from './chromium.ts';
import { serve } from './serve.ts';

interface Answer {
  readonly error?: string;
  readonly result?: Readonly<Record<string, number[]>>;
  readonly threads?: number;
  readonly device?: string;
  readonly isolated?: boolean;
}

const chromium = await findChromium();
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of cleanUp.reverse()) await end();
});

it.skipIf(typeof chromium === 'string')(
  'the same files infer and train in Node and in Chromium, with threads and without, to the same bits',
  async () => {
    if (typeof chromium === 'string') return;
    const app = makeApp();
    cleanUp.push(app.remove);
    const { js, wasm } = await generateWasm('lenet.dnn', lenet());
    app.write('lenet.js', js);
    writeFileSync(join(app.folder, 'lenet.wasm'), wasm);
    const { entries } = compile({ name: 'lenet.dnn', text: lenet() });
    // Were WebGPU chosen, there would be no such file.
    app.write('auto.js', printAutoModule('lenet.dnn', entries!, { webgpu: 'none.js', wasm: 'lenet.js' }));
    for (const name of ['work.js', 'wasm-node.js', 'wasm-page.js'])
      app.write(name, readFileSync(join(import.meta.dirname, name), 'utf8'));
    const { stdout } = await promisify(execFile)(process.execPath, ['wasm-node.js'], { cwd: app.folder });
    const expected = JSON.parse(stdout) as NonNullable<Answer['result']>;
    expect(expected.losses![9]).toBeLessThan(expected.losses![0]!);

    for (const isolated of [true, false]) {
      const imports = Object.fromEntries(
        ['wasm', 'auto'].map(name => [
          `dnnc/runtime/${name}`,
          `/node_modules/dnnc/dist/runtime/${name}/index.js`,
        ]),
      );
      const site = await serve(app.folder, 'wasm-page.js', imports, { wasm: true, isolated });
      cleanUp.push(site.close);
      const close = await chromium.open(site.address);
      let log = '';
      const end = async () => {
        log ||= await close();
      };
      cleanUp.push(end);
      const answer = (await site.result(60_000).catch(async (error: Error) => {
        await end();
        throw new Error(`${error.message}\n${log}`);
      })) as Answer;
      await end();
      expect(answer.error).toBeUndefined();
      expect(answer.isolated).toBe(isolated);
      expect(answer.threads).toBe(isolated ? 3 : 1);
      expect(answer.device).toBe('undefined');
      expect(answer.result).toEqual(expected);
      // The policy demands trusted types, which is found out by trying; nothing else has run into it.
      const others = site.violations.filter(v => !(isolated && v.includes('trusted-types')));
      expect(others).toEqual([]);
    }
  },
  180_000,
);
