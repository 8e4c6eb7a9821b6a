import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './app.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'dnnc-package-'));
const copy = join(folder, 'copy');
const user = join(folder, 'user');
const installed = join(user, 'node_modules/dnnc');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
};
let tarball = Buffer.alloc(0);
let files: string[] = [];

beforeAll(async () => {
  const left = ['node_modules', 'dist', 'out', '.git', 'test', 'bench'];
  cpSync(root, copy, { recursive: true, filter: path => !left.some(name => path === join(root, name)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  // Builds, by the script `prepare`.
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy });
  const [{ filename, size, unpackedSize, files: list }] = JSON.parse(
    packed.stdout.slice(packed.stdout.indexOf('[\n')),
  ) as [{ filename: string; size: number; unpackedSize: number; files: { path: string }[] }];
  files = list.map(f => f.path);
  tarball = readFileSync(join(folder, filename));
  console.log(
    `${filename}: ${(size / 1000).toFixed(0)} kB, ${(unpackedSize / 1e6).toFixed(2)} MB in ${files.length} files`,
  );
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "private": true }');
  // Its dependencies are in npm's cache, as this package's own installation put them there.
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', ...flags, join(folder, filename)], { cwd: user });
}, 180_000);

describe('the package', () => {
  it('has what it takes and nothing else', () => {
    const kinds =
      /^(dist\/(src|runtime)\/.*\.(js|d\.ts|licenses\.txt)|docs\/.*\.md|README\.md|CHANGELOG\.md|LICENSE|package\.json)$/;
    expect(files.filter(f => !kinds.test(f))).toEqual([]);
    for (const name of ['LICENSE', 'README.md', 'docs/embedding.md', 'docs/cli.md'])
      expect(files).toContain(name);
    const scripts = files.filter(f => f.endsWith('.js')).map(f => readFileSync(join(installed, f), 'utf8'));
    expect(scripts.filter(text => text.includes('sourceMappingURL'))).toEqual([]);
    expect(tarball.length).toBeLessThan(1_200_000);
  });

  it('has links in its documents that lead somewhere', () => {
    for (const file of files.filter(f => f.endsWith('.md'))) {
      const text = readFileSync(join(installed, file), 'utf8');
      for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const target = join(dirname(file), link!);
        // The repository has more than the package.
        if (/^(src|examples|test|bench|CONTRIBUTING\.md)(\/|$)/.test(target)) continue;
        expect(
          files.some(f => f === target || f.startsWith(`${target}/`)),
          `${file}: ${link}`,
        ).toBe(true);
      }
    }
  });

  it('gives `npx dnnc`, without the optional parts', async () => {
    expect(readdirSync(join(user, 'node_modules'))).not.toContain('@sparticuz');
    const npx = (...args: string[]) => run('npx', ['--no-install', 'dnnc', ...args], { cwd: user });
    expect((await npx('--version')).stdout.trim()).toBe(manifest.version);
    writeFileSync(join(user, 'good.dnn'), 'net Net(x: f32[N, 4]) -> f32[N, 2] { return x -> dense(2) }\n');
    writeFileSync(join(user, 'bad.dnn'), 'net Net(x: f32[N, 4]) -> f32[N, 3] { return x -> dense(2) }\n');
    await npx('check', 'good.dnn');
    const failed = (await npx('check', 'bad.dnn').catch((e: unknown) => e)) as {
      code: number;
      stderr: string;
    };
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('error[E02');
    await npx('compile', 'good.dnn', '-o', 'build');
    expect(readdirSync(join(user, 'build')).sort()).toEqual(['good.d.ts', 'good.js', 'good.wgsl']);
    // Kernels and threads of WebAssembly are found from where the package lies.
    await npx('compile', 'good.dnn', '-o', 'wasm', '--target', 'wasm');
    writeFileSync(
      join(user, 'wasm/run.mjs'),
      `import { loadNet } from './good.js';
const weights = { 'Net.dense.weight': new Float32Array(8).fill(1), 'Net.dense.bias': new Float32Array(2) };
const net = await loadNet({ threads: 2, weights });
await net.session.prepare('predict');
console.log(net.session.threads, (await net.predict(new Float32Array(4).fill(2))).data.join());`,
    );
    const { stdout } = await run(process.execPath, [join(user, 'wasm/run.mjs')]);
    expect(stdout.trim()).toBe('2 8,8');
  }, 60_000);

  it('is clean for publint', async () => {
    const { messages } = await publint({ pkgDir: installed, strict: true, pack: false });
    const pkg = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(messages.map(m => formatMessage(m, pkg))).toEqual([]);
  });

  it('is clean for are-the-types-wrong', async () => {
    const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    expect(checked.types).not.toBe(false);
    const problems = 'problems' in checked ? checked.problems : [];
    const told = problems
      // ES modules alone (docs/embedding.md): every Node that the package runs on lets CommonJS require them, as the
      // next test shows. Nothing is done for TypeScript's `node10`, which knows no `exports`.
      .filter(p => p.kind !== 'CJSResolvesToESM' && !('resolutionKind' in p && p.resolutionKind === 'node10'))
      .map(p => JSON.stringify(p));
    expect(told).toEqual([]);
  });

  it('has types and values for ES modules and for CommonJS', async () => {
    const use = `
const source = { name: 'net.dnn', text: 'net Net(x: f32[N, 4]) -> f32[N, 2] { return x -> dense(2) }' };
const names: string[] = (check(source).module?.nets ?? []).map(n => n.name);
const read: Record<string, TensorValue> = readWeights(writeWeights({}));
const ask: (options?: DeviceOptions) => Promise<GPUDevice> = requestDevice;
// @ts-expect-error a source has a text: the declarations were found
const wrong = () => check({ name: 'net.dnn' });
console.log(names.join(), Object.keys(read).length, typeof ask, typeof wrong);
`;
    writeFileSync(
      join(user, 'esm.mts'),
      `import { check } from 'dnnc';
import { readWeights, type TensorValue, writeWeights } from 'dnnc/runtime';
import { type DeviceOptions, requestDevice } from 'dnnc/runtime/node';
import type { OpenOptions as Either } from 'dnnc/runtime/auto';
import { type OpenOptions, openNet } from 'dnnc/runtime/wasm';
const options: OpenOptions & Either = { threads: 2, target: 'wasm' };
// @ts-expect-error a model has a name
const none = () => openNet({}, options);${use}`,
    );
    writeFileSync(
      join(user, 'cjs.cts'),
      `import dnnc = require('dnnc');
import runtime = require('dnnc/runtime');
import node = require('dnnc/runtime/node');
const { check } = dnnc;
const { readWeights, writeWeights } = runtime;
const { requestDevice } = node;
type TensorValue = runtime.TensorValue;
type DeviceOptions = node.DeviceOptions;${use}`,
    );
    const compilerOptions = {
      ...{ strict: true, target: 'es2023', lib: ['es2023', 'dom'], module: 'nodenext', types: [] },
      ...{ skipLibCheck: false, outDir: 'made' },
    };
    writeFileSync(
      join(user, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['esm.mts', 'cjs.cts'] }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', user]).catch(
      (e: unknown) => e as { stdout: string },
    );
    expect(stdout).toBe('');
    for (const file of ['esm.mjs', 'cjs.cjs']) {
      const { stdout } = await run(process.execPath, [join(user, 'made', file)]);
      expect(stdout.trim(), file).toBe('Net 0 function function');
    }
  }, 60_000);

  it.each([
    ['dist/runtime/index', []],
    ['dist/runtime/node/index', ['node:', 'webgpu']],
    ['dist/runtime/wasm/index', []],
    ['dist/runtime/auto/index', []],
  ])('has a runtime that imports nothing of the compiler: %s', (entry, packages) => {
    for (const extension of ['.js', '.d.ts']) {
      const outside = new Set<string>();
      const seen = walk(entry + extension, extension, outside);
      const others = [...seen].filter(f => !f.startsWith('dist/runtime/'));
      expect(others).toEqual([]);
      const allowed = (name: string) =>
        packages.some(p => (p.endsWith(':') ? name.startsWith(p) : name === p));
      expect([...outside].filter(name => !allowed(name))).toEqual([]);
      expect(seen.size).toBeGreaterThan(2);
    }
  });
});

/** The files that a file of the package imports, directly or not; packages go to `outside`. */
function walk(file: string, extension: string, outside: Set<string>, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(installed, file), 'utf8');
  for (const [, name, dynamic] of text.matchAll(
    /^(?:import|export)\b(?:[^;'"]*\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  )) {
    const found = (name ?? dynamic)!;
    if (!found.startsWith('.')) outside.add(found);
    else walk(join(dirname(file), found.replace(/\.[jt]s$/, extension)), extension, outside, seen);
  }
  return seen;
}
