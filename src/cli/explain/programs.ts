import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { CompiledProgram } from '../../passes/pipeline.ts';
import { formatBytes, formatCount, formatTable } from './table.ts';

/** The size of a free dim that is not given. */
export const defaultSize = 64;

/** Sizes of a program's free dims: those that are given, the default for others. */
export function sizesOf({ plan }: CompiledProgram, given: DimEnv): DimEnv {
  return Object.fromEntries(plan.dims.map(name => [name, given[name] ?? defaultSize]));
}

/** The kernels of a program with what each absorbed, and its memory. `milliseconds`: of one run, where it was measured. */
export function formatProgram(compiled: CompiledProgram, dims: DimEnv, milliseconds?: number): string {
  const { name, plan, program, scheduled } = compiled;
  const at = Object.entries(dims).map(([dim, n]) => `${dim} = ${n}`);
  const bytes = (d: D.Dim): string => formatBytes(D.evaluate(d, dims));
  const rows = scheduled.flatMap(({ kernels }, i) =>
    kernels.map(kernel => [
      kernel.name,
      formatCount(D.evaluate(kernel.groups, dims)),
      String(kernel.workgroupSize),
      tally(program.works[i]!.absorbed),
    ]),
  );
  const count = plan.dispatches.length;
  const head = [
    `${count} ${count === 1 ? 'dispatch' : 'dispatches'}`,
    `${plan.kernels.length} distinct ${plan.kernels.length === 1 ? 'kernel' : 'kernels'}`,
    ...(milliseconds === undefined ? [] : [`${milliseconds.toFixed(2)} ms a run`]),
  ];
  const table = formatTable(
    [
      { title: 'kernel', align: 'left' },
      { title: 'workgroups', align: 'right' },
      { title: 'of', align: 'right' },
      { title: 'absorbed', align: 'left' },
    ],
    rows,
  );
  const memory =
    `  arena ${bytes(plan.arenaBytes)}, ` +
    `sum of all tensors ${bytes(plan.totalBytes)}, most live at once ${formatBytes(plan.liveBytes(dims))}`;
  return `${name}${at.length === 0 ? '' : ` (${at.join(', ')})`}: ${head.join(', ')}\n${rows.length === 0 ? '' : table}${memory}\n`;
}

/** `mul + add + mul` as `mul ×2 + add` */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n === 1 ? name : `${name} ×${n}`)).join(' + ');
}
