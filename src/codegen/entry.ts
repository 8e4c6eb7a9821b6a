import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Kernel } from '../ir/kernel.ts';
import { type Plan, type StateLayout, type StateSlot, usedRanges } from '../ir/plan.ts';
import { printType } from '../ir/type.ts';
import type { Span } from '../support/source.ts';
import { capitalise, identifier } from './names.ts';
import { usesF16, usesMatrices, usesSubgroups } from './wgsl/uses.ts';

/** An exported net or training program with everything it runs. */
export interface ModuleEntry {
  readonly kind: 'net' | 'train';
  readonly name: string;
  /** Its declaration. */
  readonly span?: Span;
  /** For a net `predict` and `init`; for a training program `init`, `step`, `evaluate` and `net:NAME` for each net. */
  readonly programs: readonly EntryProgram[];
  /** WebGPU features that are asked for beside those that the kernels use. */
  readonly features?: readonly string[];
  /** Limits they need beyond WebGPU's defaults. */
  readonly limits?: Readonly<Record<string, number>>;
}

export interface EntryProgram {
  readonly name: string;
  /** For a training step: it runs for every so many batches; 1 if absent. */
  readonly every?: number;
  readonly plan: Plan;
  /** Plans of the same program for some sizes alone; the first that fits is taken, else `plan`. */
  readonly variants?: readonly Variant[];
}

/** A plan for the sizes where each of `fits` is at least 1. */
export interface Variant {
  readonly plan: Plan;
  readonly fits: readonly Dim[];
}

/** All plans of a program, in the order in which they are tried. */
export const plansOf = ({ plan, variants = [] }: EntryProgram): readonly Plan[] => [
  ...variants.map(v => v.plan),
  plan,
];

/** An app brings trained weights, so a net comes without the program that makes random ones. */
export function forApps(entry: ModuleEntry): ModuleEntry {
  if (entry.kind !== 'net') return entry;
  return { ...entry, programs: entry.programs.filter(p => p.name !== 'init') };
}

/** The runtime's numbers for the buffers of a plan. */
export const bufferNumbers = { state: 0, arena: 1, constants: 2 } as const;

/** Whether a run changes parameters or state. */
export const writesState = ({ dispatches, kernels }: Plan): boolean =>
  dispatches.some(({ kernel, bindings }) =>
    bindings.some((b, i) => b.buffer === 'state' && kernels[kernel]!.buffers[i]!.access !== 'read'),
  );

/** The steps of a training program in order: `step`, or one `step:NAME` for each. */
export function stepsOf(entry: ModuleEntry): readonly EntryProgram[] {
  return entry.programs.filter(p => p.name === 'step' || p.name.startsWith('step:'));
}

/** What a model says of its steps; nothing where there is just one for each batch. */
export function stepTable(
  entry: ModuleEntry,
): readonly (readonly [program: string, every: number])[] | undefined {
  const steps = stepsOf(entry).map(p => [p.name, p.every ?? 1] as const);
  return steps.length === 0 || (steps.length === 1 && steps[0]![0] === 'step') ? undefined : steps;
}

/** WebGPU features that an entry takes. */
export function featuresOf({ features = [], programs }: ModuleEntry): readonly string[] {
  const kernels = programs.flatMap(({ plan }) => plan.kernels);
  const used = [
    ...(kernels.some(usesF16) ? ['shader-f16'] : []),
    ...(kernels.some(usesSubgroups) ? ['subgroups'] : []),
    ...(kernels.some(usesMatrices) ? ['chromium-experimental-subgroup-matrix'] : []),
  ];
  return [...new Set([...features, ...used])];
}

/** Invocations that a subgroup must have for the kernels of an entry; undefined where they hold for any. */
export function subgroupSizeOf({ programs }: ModuleEntry): number | undefined {
  const kernels = programs.flatMap(({ plan }) => plan.kernels);
  return kernels.find(k => k.subgroupSize !== undefined)?.subgroupSize;
}

/** WebGPU's default limits. */
const defaults = {
  maxBufferSize: 256 * 2 ** 20,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
};

/** A limit beyond the default, and what needs it. */
export interface Need {
  readonly limit: string;
  readonly amount: number;
  readonly what: string;
}

/** Limits beyond WebGPU's defaults that an entry takes whatever the free dims are. */
export function needsOf(entry: ModuleEntry, { bytes: stateBytes }: UsedState): readonly Need[] {
  const needs = new Map<keyof typeof defaults, Need>();
  const add = (limit: keyof typeof defaults, amount: number, what: () => string): void => {
    if (amount > Math.max(defaults[limit], needs.get(limit)?.amount ?? 0))
      needs.set(limit, { limit, amount, what: what() });
  };
  const least = (d: Dim): number => Math.max(0, D.lowerBound(d));
  add('maxBufferSize', stateBytes, () => 'parameters and states');
  for (const plan of entry.programs.flatMap(plansOf)) {
    add('maxBufferSize', least(plan.arenaBytes), () => `the memory of ${plan.name}`);
    for (const kernel of plan.kernels) {
      add('maxComputeWorkgroupStorageSize', sharedBytes(kernel), () => `the kernel ${kernel.name}`);
      for (const limit of ['maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX'] as const)
        add(limit, kernel.workgroupSize, () => `the kernel ${kernel.name}`);
    }
    for (const { bindings } of plan.dispatches)
      for (const { tensor, bytes } of bindings)
        add(
          'maxStorageBufferBindingSize',
          least(bytes),
          () => `${tensor.path ?? tensor.name}: ${printType(tensor.type)}`,
        );
  }
  return [...needs.values()];
}

/** Arrays lie at multiples of 16 bytes. */
function sharedBytes({ shared }: Kernel): number {
  return shared.reduce(
    (n, { dtype, size }) => n + Math.ceil((size * (dtype === 'f16' ? 2 : 4)) / 16) * 16,
    0,
  );
}

/** Names that the declarations import. */
export const runtimeTypes = ['Input', 'Output', 'LoadedNet', 'LoadedTrainer', 'OpenOptions', 'StepOptions'];

/**
 * What each entry's exports are called: `LeNet` for `loadLeNet` and the type `LeNet`, `Mnist` for a program `mnist`
 * (`loadMnist`, `Mnist`, `MnistBatch`, `MnistMetrics`). The second of two that would be the same gets a number.
 */
export function exportNames(entries: readonly ModuleEntry[]): string[] {
  const taken = new Set(runtimeTypes);
  return entries.map(({ name }) => {
    const base = identifier(capitalise(identifier(name)));
    const all = (stem: string): string[] => [stem, `load${stem}`, `${stem}Batch`, `${stem}Metrics`];
    let stem = base;
    for (let n = 2; all(stem).some(x => taken.has(x)); n++) stem = `${base}_${n}`;
    for (const x of all(stem)) taken.add(x);
    return stem;
  });
}

/** The part of the state buffer that an entry uses. */
export interface UsedState {
  readonly bytes: number;
  /** With their offsets in the entry's own buffer. */
  readonly tensors: readonly StateSlot[];
  /** Where something of the file's layout lies in the entry's own buffer. */
  at(offset: Dim): Dim;
}

/** Smaller gaps stay, so that programs which several entries have are the same for all. */
const smallestGap = 2 ** 20;

/**
 * The parameters and states that an entry touches. The layout is that of the whole file; what other nets of the file
 * have in between is left out, or one of several large nets would need a buffer for all.
 */
export function usedState(entry: ModuleEntry, layout: StateLayout): UsedState {
  const used = usedRanges(entry.programs.flatMap(plansOf));
  const moves: { readonly from: number; readonly by: number }[] = [];
  let end = 0;
  let left = 0;
  for (const range of used) {
    if (range.start - end >= smallestGap) {
      left += range.start - end;
      moves.push({ from: range.start, by: left });
    }
    end = range.end;
  }
  const moved = (offset: number): number => offset - (moves.findLast(m => m.from <= offset)?.by ?? 0);
  const slotEnd = (i: number): number => layout.tensors[i + 1]?.offset ?? layout.bytes;
  const tensors = layout.tensors.flatMap((slot, i) =>
    used.some(r => r.start < slotEnd(i) && r.end > slot.offset)
      ? [{ ...slot, offset: moved(slot.offset) }]
      : [],
  );
  return { bytes: end - left, tensors, at: offset => D.constant(moved(D.evaluate(offset))) };
}
