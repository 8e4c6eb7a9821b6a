import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, PlanDispatch, StateLayout } from '../ir/plan.ts';
import { type EntryProgram, forApps, type ModuleEntry, writesState } from './entry.ts';
import { fromOf } from './kernels.ts';
import { type ModuleOptions, ModulePrinter, opener, preamble } from './module-printer.ts';
import { fileAddress, quote } from './names.ts';
import type { SizePrinter } from './size.ts';
import { scratchOf, type WasmKernel, wasmKernels } from './wasm-model.ts';

export interface WasmModuleOptions extends ModuleOptions {
  /** The file with the kernels, beside the module. */
  readonly wasm: string;
}

export interface WasmModuleText {
  readonly js: string;
  /** What `printWasm` prints for that file. */
  readonly kernels: readonly WasmKernel[];
}

/**
 * The ES module of one `.dnn` file for WebAssembly: programs and a `load` function for each entry. The kernels lie in a
 * file of their own.
 */
export function printWasmModule(
  name: string,
  entries: readonly ModuleEntry[],
  layout: StateLayout,
  options: WasmModuleOptions,
): WasmModuleText {
  const printer = new WasmModulePrinter(entries.map(forApps), layout, ['wasm', 'URL']);
  const parts = [
    preamble(name, entries.map(opener), options.runtime ?? 'dnnc/runtime/wasm'),
    `// All kernels and the loop over them.\nconst wasm = new URL(${quote(fileAddress(options.wasm))}, import.meta.url);`,
    ...printer.sections(),
  ];
  return { js: `${parts.join('\n\n')}\n`, kernels: printer.kernelSet.kernels };
}

class WasmModulePrinter extends ModulePrinter {
  readonly kernelSet = wasmKernels();

  /** They are in the other file. */
  protected kernels(): string[] {
    return [];
  }

  protected reference(
    { plan, variants = [] }: EntryProgram,
    constant: (plan: Plan, fits?: readonly Dim[]) => string,
  ): string {
    return `[${[...variants.map(v => constant(v.plan, v.fits)), constant(plan)].join(', ')}]`;
  }

  protected programFields(plan: Plan, sizes: SizePrinter, fits: readonly Dim[]): string[] {
    const holds = fits.map(d => `${sizes.expression(d)} >= 1`).join(' && ');
    return [
      ...(fits.length > 0 ? [`fits: ${sizes.arrow(fits, holds)}`] : []),
      `constantBytes: ${sizes.size(plan.constantBytes ?? D.constant(0))}`,
      `prologue: ${plan.prologue ?? 0}`,
      `writes: ${writesState(plan)}`,
      `scratchBytes: ${scratchOf(plan)}`,
    ];
  }

  protected override kernelNumber({ kernel }: PlanDispatch, plan: Plan): number {
    return this.kernelSet.add(plan.kernels[kernel]!, plan).index;
  }

  /** With its place in the source, which no kernel's text says here. */
  protected override dispatchComment({ name, origin }: PlanDispatch): string {
    const from = fromOf(origin);
    return from === '' ? name : `${name}, ${from}`;
  }

  protected dispatchFields({ kernel }: PlanDispatch, plan: Plan, sizes: SizePrinter): string[] {
    return [`groups: ${sizes.size(plan.kernels[kernel]!.groups)}`];
  }

  protected modelFields(): string[] {
    return ['module: wasm'];
  }
}
