import type { Kernel } from '../ir/kernel.ts';
import type { Plan, PlanDispatch, StateLayout } from '../ir/plan.ts';
import {
  type EntryProgram,
  featuresOf,
  forApps,
  type ModuleEntry,
  needsOf,
  subgroupSizeOf,
  usedState,
  writesState,
} from './entry.ts';
import { type ShaderKernel, shaders } from './kernels.ts';
import { constantBytesOf } from './model.ts';
import { heading, type ModuleOptions, ModulePrinter, opener, preamble } from './module-printer.ts';
import { propertyKey, quote, template } from './names.ts';
import type { SizePrinter } from './size.ts';

export type { ModuleOptions } from './module-printer.ts';

/**
 * The ES module of one `.dnn` file for WebGPU: kernels, programs and a `load` function for each entry. `name` is the
 * file's, for the comment at the top. Nothing from the source reaches the code but as a literal, a comment or an
 * identifier that was checked.
 */
export function printModule(
  name: string,
  entries: readonly ModuleEntry[],
  layout: StateLayout,
  options: ModuleOptions = {},
): string {
  const printer = new GpuModulePrinter(entries.map(forApps), layout);
  const parts = [
    preamble(name, entries.map(opener), options.runtime ?? 'dnnc/runtime'),
    ...printer.sections(),
  ];
  return `${parts.join('\n\n')}\n`;
}

class GpuModulePrinter extends ModulePrinter {
  readonly #shaders = shaders();
  readonly #constants = new Map<ShaderKernel, string>();

  protected kernels(plan: Plan): string[] {
    return plan.kernels.flatMap(kernel => {
      const shader = this.#shaders.add(kernel, plan);
      return this.#constants.has(shader) ? [] : [this.#kernel(shader, kernel)];
    });
  }

  /** What the kernel says of itself stands above it, where an app's bundler drops it. */
  #kernel(shader: ShaderKernel, { comments }: Kernel): string {
    const constant = this.names.fresh(shader.name);
    this.#constants.set(shader, constant);
    const fields = `name: ${quote(shader.name)}, from: ${quote(shader.from)}, uniform: ${shader.uniform}`;
    const code = template(`\n${shader.code.trimEnd()}\n`);
    return `${comments.map(heading).join('')}const ${constant} = {\n  ${fields},\n  code: ${code},\n};`;
  }

  protected reference({ plan }: EntryProgram, constant: (plan: Plan) => string): string {
    return constant(plan);
  }

  protected programFields(plan: Plan): string[] {
    const kernels = plan.kernels.map(k => this.#constants.get(this.#shaders.add(k, plan))!);
    const constantBytes = constantBytesOf(plan);
    return [
      `kernels: [${kernels.join(', ')}]`,
      ...(constantBytes > 0 ? [`prologue: ${plan.prologue}`, `constantBytes: ${constantBytes}`] : []),
      ...(writesState(plan) ? ['writes: true'] : []),
    ];
  }

  protected dispatchFields({ kernel }: PlanDispatch, plan: Plan, sizes: SizePrinter): string[] {
    return [`groups: ${sizes.size(plan.kernels[kernel]!.groups)}`];
  }

  protected modelFields(entry: ModuleEntry): string[] {
    const needs = needsOf(entry, usedState(entry, this.layout));
    const all = { ...entry.limits, ...Object.fromEntries(needs.map(n => [n.limit, n.amount])) };
    const limits = Object.entries(all).map(([name, value]) => `${propertyKey(name)}: ${Number(value)}`);
    const reasons = needs.map(n => `${propertyKey(n.limit)}: ${quote(n.what)}`);
    const subgroupSize = subgroupSizeOf(entry);
    return [
      `features: [${featuresOf(entry).map(quote).join(', ')}]`,
      limits.length === 0 ? 'limits: {}' : `limits: { ${limits.join(', ')} }`,
      ...(reasons.length === 0 ? [] : [`needs: { ${reasons.join(', ')} }`]),
      ...(subgroupSize === undefined ? [] : [`subgroupSize: ${subgroupSize}`]),
    ];
  }
}
