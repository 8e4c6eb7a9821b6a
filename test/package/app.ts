import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printModule } from '../../src/codegen/module.ts';
import { printWasm } from '../../src/codegen/wasm/module.ts';
import { printWasmModule } from '../../src/codegen/wasm-module.ts';
import { compile } from '../../src/compile.ts';
import { type Target, wasmTarget } from '../../src/ir/target.ts';
import { renderDiagnostic } from '../../src/support/render.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The ES module of a `.dnn` text, as `dnnc compile` writes it. */
export function generate(name: string, text: string, target: Target): string {
  const { compiled, entries, diagnostics } = compile({ name, text }, { target });
  if (!compiled || !entries) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  return printModule(name, entries, compiled.layout);
}

/** The same for WebAssembly, with the bytes of its kernels, which go to `NAME.wasm`. */
export async function generateWasm(
  name: string,
  text: string,
): Promise<{ js: string; wasm: Uint8Array<ArrayBuffer> }> {
  const { compiled, entries, diagnostics } = compile({ name, text }, { target: wasmTarget });
  if (!compiled || !entries) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  const wasm = name.replace(/\.dnn$/, '.wasm');
  const { js, kernels } = printWasmModule(name, entries, compiled.layout, { wasm });
  return { js, wasm: await printWasm(kernels) };
}

export const lenet = (): string => readFileSync(join(root, 'examples/lenet/lenet.dnn'), 'utf8');

export interface App {
  readonly folder: string;
  write(name: string, text: string): void;
  remove(): void;
}

/** A folder with the present runtime as the package `dnnc`, in which generated modules run as in a user's project. */
export function makeApp(): App {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-app-'));
  const installed = join(folder, 'node_modules/dnnc');
  mkdirSync(installed, { recursive: true });
  const tsc = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...['--ignoreConfig', '--noCheck', '--target', 'es2023', '--module', 'nodenext', '--allowJs'],
      ...['--rewriteRelativeImportExtensions', '--rootDir', root, '--outDir', join(installed, 'dist')],
      ...['index.ts', 'node/index.ts', 'wasm/index.ts', 'wasm/worker.js', 'auto/index.ts'].map(file =>
        join(root, 'runtime', file),
      ),
    ],
    { encoding: 'utf8' },
  );
  if (tsc.status !== 0) throw new Error(tsc.stdout + tsc.stderr);
  const { name, type, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name, type, exports }));
  for (const dependency of ['webgpu', '@sparticuz']) {
    symlinkSync(join(root, 'node_modules', dependency), join(folder, 'node_modules', dependency));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return {
    folder,
    write: (file, text) => writeFileSync(join(folder, file), text),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
