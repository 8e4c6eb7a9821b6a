import type * as R from '../../runtime/plan.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, PlanTensor, StateLayout } from '../ir/plan.ts';
import { featuresOf, type ModuleEntry, stepTable, usedState } from './entry.ts';
import { Shaders } from './kernels.ts';
import { maxGroups } from './size.ts';

/** What `printModule` prints, as an object: for running a model in the process that compiled it. */
export function buildModel(entry: ModuleEntry, layout: StateLayout): R.Model {
  const shaders = new Shaders();
  const { bytes, tensors } = usedState(entry, layout);
  const steps = stepTable(entry);
  return {
    name: entry.name,
    stateBytes: bytes,
    state: tensors,
    programs: Object.fromEntries(entry.programs.map(p => [p.name, buildProgram(p.plan, shaders)])),
    ...(steps && { steps }),
    features: featuresOf(entry),
    limits: entry.limits ?? {},
  };
}

function buildProgram(plan: Plan, shaders: Shaders): R.Program {
  const at = (d: Dim, values: readonly number[]): number =>
    D.evaluate(d, Object.fromEntries(plan.dims.map((name, i) => [name, values[i]!])));
  const size = (d: Dim): R.Size => D.constantValue(d) ?? ((...values) => at(d, values));
  const grid = (groups: Dim): R.Dispatch['grid'] => {
    const n = D.constantValue(groups);
    if (n !== undefined) return [across(n), down(n), 1];
    return [(...values) => across(at(groups, values)), (...values) => down(at(groups, values)), 1];
  };
  const tensor = ({ name, type, offset }: PlanTensor): R.Tensor => ({
    name,
    dtype: type.dtype,
    shape: type.shape.map(d => (plan.dims.includes(d.key) ? d.key : size(d))),
    offset: size(offset),
  });
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
    kernels: plan.kernels.map(k => shaders.add(k, plan)),
    dispatches: plan.dispatches.map(({ kernel, bindings }) => ({
      kernel,
      bindings: bindings.map(b => [b.buffer === 'state' ? 0 : 1, size(b.offset), size(b.bytes)] as const),
      grid: grid(plan.kernels[kernel]!.groups),
    })),
    ...(plan.loops.length > 0 && {
      loops: plan.loops.map(({ loop, from, to }) => [from, to, size(loop.steps)] as const),
    }),
  };
}

/** A linear number of workgroups in two dimensions; kernels leave the surplus of the last row idle. */
export const across = (groups: number): number => Math.min(groups, maxGroups);
export const down = (groups: number): number => Math.ceil(groups / maxGroups);

function positive(extent: number, name: string): void {
  if (!(extent >= 1)) throw new RangeError(`${name} = ${extent}: an extent must be at least 1`);
}
