import { cpus } from 'node:os';
import type { FillOptions } from '../../runtime/fill.ts';
import type { Model, Program } from '../../runtime/index.ts';
import { open } from '../../runtime/index.ts';
import type { Runner } from '../../runtime/loaded.ts';
import { NoAdapterError } from '../../runtime/node/index.ts';
import { open as openInWasm } from '../../runtime/wasm/index.ts';
import { threadsFor } from '../../runtime/wasm/pool.ts';
import type { ModuleEntry } from '../codegen/entry.ts';
import { buildModel } from '../codegen/model.ts';
import type { StateLayout } from '../ir/plan.ts';
import { type Target, wasmTarget } from '../ir/target.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { type DeviceNeeds, describeAdapter, openDevice, targetOf } from './adapter.ts';
import type { RunTarget } from './options.ts';
import type { BufferLimits } from './training/memory.ts';
import type { Bench } from './tune/memory.ts';

/** A program with what can be asked of it before it runs. */
export interface SizedProgram
  extends Pick<Program, 'dims' | 'scalars' | 'inputs' | 'outputs' | 'arenaBytes'> {
  readonly fits?: (...dims: number[]) => boolean;
  readonly dispatches: readonly {
    readonly bindings: readonly (readonly [number, unknown, Program['arenaBytes']])[];
  }[];
}

export interface RunModel extends Pick<Model, 'name' | 'state' | 'steps'> {
  /** Plans of each program; the first that fits is the one that runs. */
  readonly programs: Readonly<Record<string, readonly SizedProgram[]>>;
}

export interface Opened {
  readonly session: Runner;
  readonly model: RunModel;
  /** What the arena of a run may take. */
  readonly limits: BufferLimits;
}

/** Where compiled programs run: a WebGPU device, or WebAssembly. */
export interface Backend {
  /** What people are told. */
  readonly name: string;
  readonly kind: 'webgpu' | 'wasm';
  readonly target: Target;
  /** For measuring kernels one by one. */
  bench(): Promise<Bench>;
  open(entry: ModuleEntry, layout: StateLayout, options: (model: RunModel) => FillOptions): Promise<Opened>;
  close(): void;
}

export interface BackendOptions extends DeviceNeeds {
  readonly target: Exclude<RunTarget, 'interpret'>;
  readonly threads?: number | undefined;
}

/** Throws what `openDevice` does. `auto`: a real GPU that can run it, else WebAssembly, never a software adapter. */
export async function openBackend({ target, threads, ...needs }: BackendOptions): Promise<Backend> {
  if (target === 'wasm') return wasmBackend(threads);
  if (target === 'webgpu') return gpuBackend(await openDevice(needs));
  try {
    return gpuBackend(await openDevice(needs, 'gpu'));
  } catch (error) {
    if (error instanceof NoAdapterError || error instanceof DiagnosticError) return wasmBackend(threads);
    throw error;
  }
}

/** A device, which `close` destroys. */
export const gpuBackend = (device: GPUDevice): Backend => ({
  name: describeAdapter(device),
  kind: 'webgpu',
  target: targetOf(device),
  async open(entry, layout, options) {
    const model = buildModel(entry, layout);
    const programs = Object.fromEntries(Object.entries(model.programs).map(([name, p]) => [name, [p]]));
    const known = { ...model, programs };
    const session = await open(model, { ...options(known), device });
    return { session, model: known, limits: device.limits };
  },
  // Only `dnnc tune` takes it.
  bench: async () => (await import('./tune/gpu.ts')).gpuBench(device),
  close: () => device.destroy(),
});

/** `wasm Intel(R) Xeon(R) Processor` */
export const wasmAdapter = (): string => `wasm ${cpus()[0]?.model.trim() || process.arch}`;

/** `WebAssembly (2 threads)`, where so many are wanted. */
export function describeThreads(wanted: number | undefined): string {
  const threads = threadsFor(wanted);
  return `WebAssembly (${threads} ${threads === 1 ? 'thread' : 'threads'})`;
}

export function wasmBackend(wanted?: number): Backend {
  const threads = threadsFor(wanted);
  return {
    name: describeThreads(wanted),
    kind: 'wasm',
    target: { ...wasmTarget, adapter: wasmAdapter() },
    async open(entry, layout, options) {
      // Its printer is loaded where it is needed alone.
      const { buildWasmModel } = await import('../codegen/wasm-model.ts');
      const model = await buildWasmModel(entry, layout);
      const session = await openInWasm(model, { ...options(model), threads });
      const scratch = Math.max(0, ...Object.values(model.programs).flatMap(p => p.map(q => q.scratchBytes)));
      // All memory is one; some is for tables.
      const most = 2 ** 32 - 2 ** 24 - model.stateBytes - threads * scratch;
      return { session, model, limits: { maxBufferSize: most, maxStorageBufferBindingSize: most } };
    },
    bench: async () => (await import('./tune/wasm.ts')).wasmBench,
    close() {},
  };
}
