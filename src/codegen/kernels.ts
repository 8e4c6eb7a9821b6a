import * as D from '../ir/dim.ts';
import type { Kernel } from '../ir/kernel.ts';
import { kernelKey } from '../ir/kernel-key.ts';
import type { Plan } from '../ir/plan.ts';
import { place } from '../support/source.ts';
import type { UniformWord } from './wgsl/kernel.ts';
import { entryPoint, printKernel, usesUniforms } from './wgsl/kernel.ts';

/** A kernel as the runtime takes it. */
export interface ShaderKernel {
  /** The WGSL entry point. */
  readonly name: string;
  readonly code: string;
  /** `lenet.dnn:8:8`, the path where there is no place, else empty. */
  readonly from: string;
  readonly uniform: boolean;
}

/** The kernels of several programs, printed; those that do the same once. */
export class Shaders {
  readonly kernels: ShaderKernel[] = [];
  readonly #known = new Map<string, ShaderKernel>();

  add(kernel: Kernel, plan: Plan): ShaderKernel {
    const words = usedWords(kernel, plan);
    const key = `${JSON.stringify(words)}${kernelKey(kernel)}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { span, path } = kernel.origin;
    const made: ShaderKernel = {
      name: entryPoint(kernel),
      code: printKernel(kernel, words),
      from: span ? place(span) : (path ?? ''),
      uniform: usesUniforms(kernel),
    };
    this.#known.set(key, made);
    this.kernels.push(made);
    return made;
  }
}

/** Words of the plan's uniform block up to the last that the kernel reads, so that programs with other scalars can share it. */
function usedWords(kernel: Kernel, plan: Plan): UniformWord[] {
  const used = D.symbols(kernel.groups);
  collectUniforms(kernel.body, used);
  const words = [...plan.dims.map(name => ({ name, dtype: 'u32' as const })), ...plan.scalars];
  return usesUniforms(kernel) ? words.slice(0, words.findLastIndex(w => used.has(w.name)) + 1) : [];
}

function collectUniforms(node: unknown, into: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  const { kind, name } = node as { kind?: unknown; name?: unknown };
  if (kind === 'uniform' && typeof name === 'string') into.add(name);
  for (const part of Object.values(node)) collectUniforms(part, into);
}
