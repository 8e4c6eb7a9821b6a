import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../../runtime/plan.ts';
import { distinctKernels } from '../../src/cli/compile.ts';
import { printModule } from '../../src/codegen/module.ts';
import { printTypes } from '../../src/codegen/types.ts';
import { printWgslFile } from '../../src/codegen/wgsl/module.ts';
import { type CheckOptions, compile } from '../../src/compile.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { root } from './app.ts';

export interface Printed {
  /** With the runtime at this address. */
  js(runtime: string): string;
  readonly types: string;
  readonly wgsl: string;
}

/** What `dnnc compile` writes. Throws an Error with the diagnostics. */
export function print(name: string, text: string, resolve?: CheckOptions['resolve']): Printed {
  const options = { target: softwareTarget, ...(resolve && { resolve }) };
  const { compiled, entries, diagnostics } = compile({ name, text }, options);
  if (!compiled || !entries) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  const kernels = distinctKernels(entries.flatMap(e => e.programs.map(p => p.plan)));
  return {
    js: runtime => printModule(name, entries, compiled.layout, { runtime }),
    types: printTypes(name, entries),
    wgsl: printWgslFile(`Compiled from ${name} by dnnc.`, kernels),
  };
}

export const data = (code: string): string =>
  `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;

/** A runtime that hands the models back. */
export const stub = data('export const openNet = model => model; export const openTrainer = openNet;');

/** The models of a module that was printed for `stub`. */
export async function models(code: string): Promise<Model[]> {
  const module: Record<string, () => Promise<Model>> = await import(/* @vite-ignore */ data(code));
  return Promise.all(Object.values(module).map(load => load()));
}

/** TypeScript's complaints about the `.ts` files of a folder, in which `dnnc/runtime` is this package's. */
export function complaints(folder: string): string {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const compilerOptions = {
    ...{ noEmit: true, strict: true, target: 'es2023', lib: ['es2023', 'dom'], module: 'nodenext' },
    ...{ allowImportingTsExtensions: true, types: [] },
    paths: { 'dnnc/runtime': [join(root, 'runtime/index.ts')] },
  };
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  return stdout + stderr;
}
