import type * as R from '../../runtime/plan.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, PlanTensor, StateLayout } from '../ir/plan.ts';
import {
  bufferNumbers,
  featuresOf,
  type ModuleEntry,
  needsOf,
  stepTable,
  subgroupSizeOf,
  type UsedState,
  usedState,
  writesState,
} from './entry.ts';
import { type KernelSet, type ShaderKernel, shaders } from './kernels.ts';

/** What `printModule` prints, as an object: for running a model in the process that compiled it. */
export function buildModel(entry: ModuleEntry, layout: StateLayout): R.Model {
  const kernels = shaders();
  const used = usedState(entry, layout);
  const { bytes, tensors } = used;
  const needs = needsOf(entry, used);
  const steps = stepTable(entry);
  const subgroupSize = subgroupSizeOf(entry);
  return {
    name: entry.name,
    stateBytes: bytes,
    state: tensors,
    programs: Object.fromEntries(entry.programs.map(p => [p.name, buildProgram(p.plan, used, kernels)])),
    ...(steps && { steps }),
    features: featuresOf(entry),
    limits: { ...entry.limits, ...Object.fromEntries(needs.map(n => [n.limit, n.amount])) },
    ...(needs.length > 0 && { needs: Object.fromEntries(needs.map(n => [n.limit, n.what])) }),
    ...(subgroupSize !== undefined && { subgroupSize }),
  };
}

function buildProgram(plan: Plan, used: UsedState, kernels: KernelSet<ShaderKernel>): R.Program {
  const { size } = sizesOf(plan);
  const constantBytes = constantBytesOf(plan);
  return {
    ...signature(plan),
    ...(constantBytes > 0 && { prologue: plan.prologue!, constantBytes }),
    ...(writesState(plan) && { writes: true }),
    kernels: plan.kernels.map(k => kernels.add(k, plan)),
    dispatches: plan.dispatches.map(({ kernel, bindings }) => ({
      kernel,
      bindings: bindings.map(b => {
        const offset = b.buffer === 'state' ? used.at(b.offset) : b.offset;
        return [bufferNumbers[b.buffer], size(offset), size(b.bytes)] as const;
      }),
      groups: size(plan.kernels[kernel]!.groups),
    })),
  };
}

/** Dims of a plan as the runtime evaluates them. */
export function sizesOf({ dims }: Plan): {
  at(d: Dim, values: readonly number[]): number;
  size(d: Dim): R.Size;
} {
  const at = (d: Dim, values: readonly number[]): number =>
    D.evaluate(d, Object.fromEntries(dims.map((name, i) => [name, values[i]!])));
  return { at, size: d => D.constantValue(d) ?? ((...values) => at(d, values)) };
}

/** What programs of all targets have. */
export function signature(
  plan: Plan,
): Pick<R.Program, 'dims' | 'scalars' | 'arenaBytes' | 'inputs' | 'outputs' | 'loops' | 'counts'> {
  const { at, size } = sizesOf(plan);
  const tensor = ({ name, type, offset }: PlanTensor): R.Tensor => ({
    name,
    dtype: type.dtype,
    shape: type.shape.map(d => (plan.dims.includes(d.key) ? d.key : size(d))),
    offset: size(offset),
  });
  const counts = openCounts(plan);
  const checked = (...values: number[]): number => {
    for (const d of plan.positive) positive(at(d, values), D.print(d));
    return at(plan.arenaBytes, values);
  };
  return {
    dims: plan.dims,
    scalars: plan.scalars,
    arenaBytes: plan.positive.length === 0 ? size(plan.arenaBytes) : checked,
    inputs: plan.inputs.map(tensor),
    outputs: plan.outputs.map(tensor),
    ...(plan.loops.length > 0 && {
      loops: plan.loops.map(({ loop, from, to }) => [from, to, size(loop.steps)] as const),
    }),
    ...(counts.length > 0 && { counts: counts.map(c => [c.name, size(c.size)] as const) }),
  };
}

/** Bytes of what the prologue of a plan makes, which depend on nothing. */
export const constantBytesOf = ({ constantBytes }: Plan): number =>
  constantBytes ? D.evaluate(constantBytes) : 0;

/** What is known to be small enough is checked no more. */
export const openCounts = ({ counts }: Plan): Plan['counts'] =>
  counts.filter(c => D.constantValue(c.size) === undefined);

function positive(extent: number, name: string): void {
  if (!(extent >= 1)) throw new RangeError(`${name} = ${extent}: an extent must be at least 1`);
}
