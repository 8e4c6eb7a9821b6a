import type * as R from '../../runtime/wasm/plan.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, StateLayout } from '../ir/plan.ts';
import {
  bufferNumbers,
  type ModuleEntry,
  stepTable,
  type UsedState,
  usedState,
  writesState,
} from './entry.ts';
import { KernelSet } from './kernels.ts';
import { signature, sizesOf } from './model.ts';
import { printWasm, scratchBytes, type WasmEntry } from './wasm/module.ts';

/** A kernel of a WebAssembly module. */
export interface WasmKernel extends WasmEntry {
  /** Its position in the module's function table. */
  readonly index: number;
}

export const wasmKernels = (): KernelSet<WasmKernel> =>
  new KernelSet((kernel, uniforms, index) => ({ kernel, uniforms, index }));

/** What `printWasmModule` prints, as an object: for running a model in the process that compiled it. */
export async function buildWasmModel(entry: ModuleEntry, layout: StateLayout): Promise<R.WasmModel> {
  const kernels = wasmKernels();
  const used = usedState(entry, layout);
  const { bytes, tensors } = used;
  const steps = stepTable(entry);
  const programs = entry.programs.map(({ name, plan, variants = [] }) => {
    const plans = [...variants, { plan, fits: undefined }];
    return [name, plans.map(v => buildProgram(v.plan, v.fits, used, kernels))] as const;
  });
  return {
    name: entry.name,
    stateBytes: bytes,
    state: tensors,
    programs: Object.fromEntries(programs),
    ...(steps && { steps }),
    module: await printWasm(kernels.kernels),
  };
}

function buildProgram(
  plan: Plan,
  fits: readonly Dim[] | undefined,
  used: UsedState,
  kernels: KernelSet<WasmKernel>,
): R.WasmProgram {
  const { at, size } = sizesOf(plan);
  return {
    ...signature(plan),
    ...(fits && { fits: (...dims) => fits.every(d => at(d, dims) >= 1) }),
    constantBytes: size(plan.constantBytes ?? D.constant(0)),
    prologue: plan.prologue ?? 0,
    writes: writesState(plan),
    scratchBytes: scratchOf(plan),
    dispatches: plan.dispatches.map(({ kernel, bindings }) => ({
      kernel: kernels.add(plan.kernels[kernel]!, plan).index,
      bindings: bindings.map(b => {
        const offset = b.buffer === 'state' ? used.at(b.offset) : b.offset;
        return [bufferNumbers[b.buffer], size(offset), size(b.bytes)] as const;
      }),
      groups: size(plan.kernels[kernel]!.groups),
    })),
  };
}

/** Most scratch memory that a kernel of a plan takes. */
export const scratchOf = ({ kernels }: Plan): number => Math.max(0, ...kernels.map(scratchBytes));
