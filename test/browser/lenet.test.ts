import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { generate, lenet, makeApp } from '../package/app.ts';
import { findChromium } from './chromium.ts';
import { serve } from './serve.ts';

interface Work {
  readonly shape: number[];
  readonly before: number[];
  readonly losses: number[];
  readonly accuracies: number[];
  readonly after: number[];
  readonly evaluated: number[];
}

interface Answer {
  readonly error?: string;
  readonly results?: Readonly<Record<string, Work>>;
  readonly evaluates?: boolean;
  readonly uncaptured?: readonly string[];
  readonly adapter?: string;
}

const chromium = await findChromium();
if (typeof chromium === 'string') console.warn(`the browser test is skipped: ${chromium}`);
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of cleanUp.reverse()) await end();
});

/**
 * Both compile the same WGSL to the same software adapter, but with two versions of Dawn, which may contract products
 * and sums otherwise; ten steps of training make little of that more.
 */
const tolerance = 1e-4;

it.skipIf(typeof chromium === 'string')(
  'the same files infer and train in Node and in Chromium, to the same numbers',
  async () => {
    if (typeof chromium === 'string') return;
    const app = makeApp();
    cleanUp.push(app.remove);
    app.write('lenet-gpu.js', generate('lenet.dnn', lenet(), gpuTarget));
    app.write('lenet-software.js', generate('lenet.dnn', lenet(), softwareTarget));
    for (const name of ['work.js', 'node.js', 'page.js']) {
      app.write(name, readFileSync(join(import.meta.dirname, name), 'utf8'));
    }

    const site = await serve(app.folder, 'page.js', {
      'dnnc/runtime': '/node_modules/dnnc/dist/runtime/index.js',
    });
    cleanUp.push(site.close);
    const close = await chromium.open(site.address);
    let log = '';
    const end = async () => {
      log ||= await close();
    };
    cleanUp.push(end);
    const answer = (await site.result(90_000).catch(async (error: Error) => {
      await end();
      throw new Error(`${error.message}\n${log}`);
    })) as Answer;
    await end();
    expect(answer.error).toBeUndefined();
    expect(answer.adapter).toContain('swiftshader');
    // The policy was in force, and neither module nor runtime ran into it: the one report is of the page's own try.
    expect(answer.evaluates).toBe(false);
    expect(site.violations.some(v => v.includes('/page.js'))).toBe(true);
    expect(site.violations.filter(v => !v.includes('/page.js'))).toEqual([]);
    expect(answer.uncaptured).toEqual([]);

    const { stdout } = await promisify(execFile)(process.execPath, ['node.js'], { cwd: app.folder });
    const node = JSON.parse(stdout) as NonNullable<Answer['results']>;
    let most = 0;
    for (const [target, work] of Object.entries(node)) {
      const page = answer.results![target]!;
      expect(page.shape).toEqual([16, 10]);
      for (const [what, values] of Object.entries(work) as [keyof Work, number[]][]) {
        expect(page[what].length, what).toBe(values.length);
        values.forEach((v, i) => {
          const difference = Math.abs(page[what][i]! - v) / Math.max(1, Math.abs(v));
          most = Math.max(most, difference);
          expect(
            difference,
            `${target}: ${what}[${i}]: ${page[what][i]} in the page, ${v} in Node`,
          ).toBeLessThan(tolerance);
        });
      }
      expect(work.losses).toHaveLength(10);
      expect(work.losses[9]).toBeLessThan(work.losses[0]!);
      expect(new Set(work.before).size).toBeGreaterThan(100);
    }
    console.log(`${chromium.version}: largest difference from Node ${most.toExponential(1)}`);
  },
  150_000,
);
