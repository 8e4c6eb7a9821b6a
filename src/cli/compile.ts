import { basename, join } from 'node:path';
import { printAutoModule } from '../codegen/auto-module.ts';
import type { ModuleEntry } from '../codegen/entry.ts';
import { printModule } from '../codegen/module.ts';
import { printTypes } from '../codegen/types.ts';
import { printWgslFile, type WgslEntry } from '../codegen/wgsl/module.ts';
import { kernelKey } from '../ir/kernel-key.ts';
import type { Plan } from '../ir/plan.ts';
import { type Target, wasmTarget } from '../ir/target.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { nothingToCompile } from '../support/errors/names.ts';
import { targetFor } from './adapter.ts';
import { exitCode } from './errors.ts';
import { ensureFolder, writeAtomically } from './files.ts';
import type { Io } from './io.ts';
import { type Loaded, loadCompiled } from './load.ts';
import type { CompileTarget, Profile, SourceOptions } from './options.ts';
import { requireKnownSizes } from './training/sizes.ts';

export interface CompileCommandOptions extends SourceOptions {
  readonly out: string;
  readonly profile: Profile;
  readonly target: CompileTarget;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

/**
 * `dnnc compile FILE -o DIR`: writes NAME.js, NAME.d.ts and, for the target, NAME.wgsl or NAME.wasm; for `auto` NAME.js
 * imports NAME.webgpu.js or NAME.wasm.js.
 */
export async function compileCommand(path: string, options: CompileCommandOptions, io: Io): Promise<number> {
  const { target } = options;
  const file = basename(path);
  const name = nameOf(file);
  let entries: readonly ModuleEntry[] = [];
  const compileFor = (machine: Target): Loaded => {
    const loaded = loadCompiled(path, options, io, { target: machine, checked: entries.length > 0 });
    requireKnownSizes(loaded, options);
    if (loaded.entries.length === 0) throw new DiagnosticError(nothingToCompile(path));
    ({ entries } = loaded);
    return loaded;
  };
  const module = target === 'auto' ? { webgpu: `${name}.webgpu.js`, wasm: `${name}.wasm.js` } : undefined;
  const outputs: Record<string, string | Uint8Array> = {};
  if (target !== 'wasm') {
    const machine = await targetFor(options.profile, options);
    Object.assign(outputs, gpuFiles(file, compileFor(machine), machine, module?.webgpu ?? `${name}.js`));
  }
  if (target !== 'webgpu')
    Object.assign(outputs, await wasmFiles(file, compileFor(wasmTarget), module?.wasm ?? `${name}.js`));
  const runtime = target === 'webgpu' ? 'dnnc/runtime' : `dnnc/runtime/${target}`;
  if (module) outputs[`${name}.js`] = printAutoModule(file, entries, module);
  outputs[`${name}.d.ts`] = printTypes(file, entries, { runtime });
  const folder = ensureFolder(options.out);
  // What people import comes first.
  const sorted = Object.entries(outputs).sort(([a], [b]) => rank(a, name) - rank(b, name));
  for (const [output, content] of sorted) {
    writeAtomically(join(folder, output), content);
    io.out(`${join(folder, output)}\n`);
  }
  return exitCode.fine;
}

const nameOf = (file: string): string => file.replace(/\.dnn$/, '');

const rank = (file: string, name: string): number => [`${name}.js`, `${name}.d.ts`].indexOf(file) >>> 0;

function gpuFiles(file: string, { entries, compiled }: Loaded, target: Target, module: string): Files {
  const plans = entries.flatMap(e => e.programs.map(p => p.plan));
  const comment = `Compiled from ${file} by dnnc for ${target.name}.`;
  return {
    [module]: printModule(file, entries, compiled.layout),
    [`${nameOf(file)}.wgsl`]: printWgslFile(comment, distinctKernels(plans)),
  };
}

async function wasmFiles(file: string, { entries, compiled }: Loaded, module: string): Promise<Files> {
  // Its printer is loaded where it is needed alone.
  const { printWasmModule } = await import('../codegen/wasm-module.ts');
  const { printWasm } = await import('../codegen/wasm/module.ts');
  const wasm = `${nameOf(file)}.wasm`;
  const { js, kernels } = printWasmModule(file, entries, compiled.layout, { wasm });
  return { [module]: js, [wasm]: await printWasm(kernels) };
}

/** The kernels of several plans, those that are the same once, in the order of their first dispatch. */
export function distinctKernels(plans: readonly Plan[]): WgslEntry[] {
  const found = new Map<string, WgslEntry>();
  for (const plan of plans)
    for (const kernel of plan.kernels) {
      const key = kernelKey(kernel);
      if (found.has(key)) continue;
      const dims = plan.dims.map(name => ({ name, dtype: 'u32' as const }));
      found.set(key, { kernel, uniforms: [...dims, ...plan.scalars] });
    }
  return [...found.values()];
}
