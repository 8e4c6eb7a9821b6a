import { basename, join } from 'node:path';
import { printModule } from '../codegen/module.ts';
import { printTypes } from '../codegen/types.ts';
import { printWgslFile, type WgslEntry } from '../codegen/wgsl/module.ts';
import { kernelKey } from '../ir/kernel-key.ts';
import type { Plan } from '../ir/plan.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { nothingToCompile } from '../support/errors/names.ts';
import { targetFor } from './adapter.ts';
import { exitCode } from './errors.ts';
import { ensureFolder, writeAtomically } from './files.ts';
import type { Io } from './io.ts';
import { loadCompiled } from './load.ts';
import type { Profile, SourceOptions } from './options.ts';
import { requireKnownSizes } from './training/sizes.ts';

export interface CompileCommandOptions extends SourceOptions {
  readonly out: string;
  readonly profile: Profile;
}

/** `dnnc compile FILE -o DIR`: writes NAME.js, NAME.d.ts and NAME.wgsl. */
export async function compileCommand(path: string, options: CompileCommandOptions, io: Io): Promise<number> {
  const target = await targetFor(options.profile);
  const loaded = loadCompiled(path, options, io, { target });
  requireKnownSizes(loaded, options);
  const { compiled, entries } = loaded;
  if (entries.length === 0) throw new DiagnosticError(nothingToCompile(path));
  const file = basename(path);
  const name = file.replace(/\.dnn$/, '');
  const plans = entries.flatMap(e => e.programs.map(p => p.plan));
  const outputs = {
    [`${name}.js`]: printModule(file, entries, compiled.layout),
    [`${name}.d.ts`]: printTypes(file, entries),
    [`${name}.wgsl`]: printWgslFile(
      `Compiled from ${file} by dnnc for ${target.name}.`,
      distinctKernels(plans),
    ),
  };
  const folder = ensureFolder(options.out);
  for (const [output, text] of Object.entries(outputs)) {
    writeAtomically(join(folder, output), text);
    io.out(`${join(folder, output)}\n`);
  }
  return exitCode.fine;
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
