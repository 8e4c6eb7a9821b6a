import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { type Loop, turnsAt, type Work } from '../../ir/program.ts';
import { flopsOf } from '../../passes/flops.ts';
import type { CompiledProgram } from '../../passes/pipeline.ts';
import { formatBytes, formatCount, formatTable } from './table.ts';

/** The size of a free dim that is not given. */
export const defaultSize = 64;

/** Sizes of a program's free dims: those that are given, the default for others. */
export function sizesOf({ plan }: CompiledProgram, given: DimEnv): DimEnv {
  return Object.fromEntries(plan.dims.map(name => [name, given[name] ?? defaultSize]));
}

/** What a program became: its kernels with what each absorbed, and its memory in bytes. */
export interface ProgramReport {
  readonly name: string;
  readonly dims: DimEnv;
  readonly dispatches: number;
  /** How many a run takes: those of loops once for each turn. */
  readonly dispatchesPerRun: number;
  readonly distinctKernels: number;
  readonly kernels: readonly {
    readonly name: string;
    readonly workgroups: number;
    readonly workgroupSize: number;
    readonly absorbed: readonly string[];
    /** How often a run dispatches it: the turns of its loops. */
    readonly times: number;
  }[];
  readonly memory: {
    readonly arena: number;
    readonly allTensors: number;
    readonly mostLive: number;
    /** In the order of the source, and where nothing overwrites its inputs. */
    readonly mostLiveInSource: number;
  };
  /** Works that run again so that memory fits a limit, and their operations; absent where there is none. */
  readonly again?: { readonly works: number; readonly flops: number; readonly share: number };
  /** Of one run, where it was measured. */
  readonly milliseconds?: number;
}

export function reportProgram(
  { name, plan, program, scheduled, sourceBytes, again }: CompiledProgram,
  dims: DimEnv,
  milliseconds?: number,
): ProgramReport {
  const timesOf = (loop: Loop | undefined): number => (loop ? turnsAt(dims)(loop) * timesOf(loop.parent) : 1);
  const times = scheduled.map(({ kernels }, i) => kernels.map(() => timesOf(program.works[i]!.loop)));
  return {
    name,
    dims,
    dispatches: plan.dispatches.length,
    dispatchesPerRun: times.flat().reduce((a, b) => a + b, 0),
    distinctKernels: plan.kernels.length,
    kernels: scheduled.flatMap(({ kernels }, i) =>
      kernels.map((kernel, k) => ({
        name: kernel.name,
        workgroups: D.evaluate(kernel.groups, dims),
        workgroupSize: kernel.workgroupSize,
        absorbed: program.works[i]!.absorbed,
        times: times[i]![k]!,
      })),
    ),
    memory: {
      arena: D.evaluate(plan.arenaBytes, dims),
      allTensors: D.evaluate(plan.totalBytes, dims),
      mostLive: plan.liveBytes(dims),
      mostLiveInSource: sourceBytes,
    },
    ...(again && { again: costOf(again, program.works, dims) }),
    ...(milliseconds !== undefined && { milliseconds }),
  };
}

function costOf(again: readonly Work[], works: readonly Work[], dims: DimEnv): ProgramReport['again'] {
  const flops = (list: readonly Work[]): number =>
    list.reduce((n, w) => n + w.region.stages.reduce((m, stage) => m + flopsOf(stage, dims), 0), 0);
  const more = flops(again);
  return { works: again.length, flops: more, share: more / Math.max(1, flops(works) - more) };
}

/** The report as a table. */
export function formatProgram(report: ProgramReport): string {
  const {
    name,
    dims,
    dispatches: count,
    dispatchesPerRun,
    distinctKernels,
    kernels,
    memory,
    milliseconds,
    again,
  } = report;
  const loops = kernels.some(k => k.times !== 1);
  const at = Object.entries(dims).map(([dim, n]) => `${dim} = ${n}`);
  const rows = kernels.map(kernel => [
    kernel.name,
    formatCount(kernel.workgroups),
    String(kernel.workgroupSize),
    ...(loops ? [formatCount(kernel.times)] : []),
    tally(kernel.absorbed),
  ]);
  const head = [
    `${count} ${count === 1 ? 'dispatch' : 'dispatches'}`,
    ...(loops ? [`${formatCount(dispatchesPerRun)} with all turns of loops`] : []),
    `${distinctKernels} distinct ${distinctKernels === 1 ? 'kernel' : 'kernels'}`,
    ...(milliseconds === undefined ? [] : [`${milliseconds.toFixed(2)} ms a run`]),
  ];
  const table = formatTable(
    [
      { title: 'kernel', align: 'left' },
      { title: 'workgroups', align: 'right' },
      { title: 'of', align: 'right' },
      ...(loops ? [{ title: 'times', align: 'right' } as const] : []),
      { title: 'absorbed', align: 'left' },
    ],
    rows,
  );
  const sizes =
    `  arena ${formatBytes(memory.arena)}, ` +
    `sum of all tensors ${formatBytes(memory.allTensors)}, most live at once ${formatBytes(memory.mostLive)}` +
    ` (in the order of the source ${formatBytes(memory.mostLiveInSource)})` +
    (again
      ? `\n  computed again: ${again.works} ${again.works === 1 ? 'work' : 'works'}, ${formatCount(again.flops)} FLOPs (+${(100 * again.share).toFixed(1)} %)`
      : '');
  return `${name}${at.length === 0 ? '' : ` (${at.join(', ')})`}: ${head.join(', ')}\n${rows.length === 0 ? '' : table}${sizes}\n`;
}

/** `mul + add + mul` as `mul ×2 + add` */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n === 1 ? name : `${name} ×${n}`)).join(' + ');
}
