import * as D from '../ir/dim.ts';
import type { Origin } from '../ir/graph.ts';
import type { Kernel } from '../ir/kernel.ts';
import { kernelKey } from '../ir/kernel-key.ts';
import type { Plan } from '../ir/plan.ts';
import { place } from '../support/source.ts';
import type { UniformWord } from './wgsl/kernel.ts';
import { entryPoint, printCode, usesUniforms } from './wgsl/kernel.ts';

/** A kernel as the runtime takes it. */
export interface ShaderKernel {
  /** The WGSL entry point. */
  readonly name: string;
  readonly code: string;
  /** `lenet.dnn:8:8`, the path where there is no place, else empty. */
  readonly from: string;
  readonly uniform: boolean;
}

/** The kernels of several programs, made into what a target takes; those that do the same once. */
export class KernelSet<T> {
  readonly kernels: T[] = [];
  readonly #known = new Map<string, T>();
  readonly #make: (kernel: Kernel, words: readonly UniformWord[], index: number) => T;

  constructor(make: (kernel: Kernel, words: readonly UniformWord[], index: number) => T) {
    this.#make = make;
  }

  add(kernel: Kernel, plan: Plan): T {
    const words = usedWords(kernel, plan);
    const key = `${JSON.stringify(words)}${kernelKey(kernel)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#make(kernel, words, this.kernels.length);
    this.#known.set(key, made);
    this.kernels.push(made);
    return made;
  }
}

export const shaders = (): KernelSet<ShaderKernel> =>
  new KernelSet((kernel, words) => ({
    name: entryPoint(kernel),
    code: printCode(kernel, words),
    from: fromOf(kernel.origin),
    uniform: usesUniforms(kernel),
  }));

/** `lenet.dnn:8:8`, the path where there is no place, else empty. */
export const fromOf = ({ span, path }: Origin): string => (span ? place(span) : (path ?? ''));

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
