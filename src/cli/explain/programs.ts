import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Work } from '../../ir/program.ts';
import { flopsOf } from '../../passes/flops.ts';
import type { CompiledProgram, ProgramVariant } from '../../passes/pipeline.ts';
import { formatKernels, type KernelReport, reportKernels } from './kernels.ts';
import { formatBytes, formatCount } from './table.ts';
import type { ProgramTimes } from './timing.ts';

/** The size of a free dim that is not given. */
export const defaultSize = 64;

/** Sizes of a program's free dims: those that are given, the default for others. */
export function sizesOf({ plan }: CompiledProgram, given: DimEnv): DimEnv {
  return Object.fromEntries(plan.dims.map(name => [name, given[name] ?? defaultSize]));
}

/** What runs at given sizes: the first variant that is for them, else the program itself. */
export function chosen(program: CompiledProgram, dims: DimEnv): CompiledProgram | ProgramVariant {
  return program.variants?.find(v => v.fits.every(d => D.evaluate(d, dims) >= 1)) ?? program;
}

/** What a program became: its kernels, and its memory in bytes. */
export interface ProgramReport {
  readonly name: string;
  readonly dims: DimEnv;
  /** Without those that run once for given parameters. */
  readonly dispatches: number;
  /** How many a run takes: those of loops once for each turn. */
  readonly dispatchesPerRun: number;
  /** Dispatches that depend on parameters alone, and run when those have changed. */
  readonly dispatchesOnce: number;
  readonly distinctKernels: number;
  readonly kernels: readonly KernelReport[];
  readonly memory: {
    readonly arena: number;
    /** What dispatches that run once have made. */
    readonly constants: number;
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

export function reportProgram(compiled: CompiledProgram, dims: DimEnv, times?: ProgramTimes): ProgramReport {
  const { plan, program, sourceBytes, again } = chosen(compiled, dims);
  const kernels = reportKernels(plan, dims, times?.kernels);
  const every = kernels.filter(k => !k.once);
  return {
    name: compiled.name,
    dims,
    dispatches: every.length,
    dispatchesPerRun: every.reduce((n, k) => n + k.times, 0),
    dispatchesOnce: kernels.length - every.length,
    distinctKernels: plan.kernels.length,
    kernels,
    memory: {
      arena: D.evaluate(plan.arenaBytes, dims),
      constants: D.evaluate(plan.constantBytes ?? D.constant(0), dims),
      allTensors: D.evaluate(plan.totalBytes, dims),
      mostLive: plan.liveBytes(dims),
      mostLiveInSource: sourceBytes,
    },
    ...(again && { again: costOf(again, program.works, dims) }),
    ...(times && { milliseconds: times.run }),
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
  const { name, dims, kernels, memory, milliseconds, again } = report;
  const { dispatches, dispatchesPerRun, dispatchesOnce, distinctKernels } = report;
  const at = Object.entries(dims).map(([dim, n]) => `${dim} = ${n}`);
  const head = [
    `${dispatches} ${dispatches === 1 ? 'dispatch' : 'dispatches'}`,
    ...(kernels.some(k => k.times !== 1) ? [`${formatCount(dispatchesPerRun)} with all turns of loops`] : []),
    ...(dispatchesOnce > 0 ? [`${dispatchesOnce} more once for given parameters`] : []),
    `${distinctKernels} distinct ${distinctKernels === 1 ? 'kernel' : 'kernels'}`,
    ...(milliseconds === undefined ? [] : [`${milliseconds.toFixed(2)} ms a run`]),
  ];
  const sizes =
    `  arena ${formatBytes(memory.arena)}, ` +
    (memory.constants > 0 ? `made once for given parameters ${formatBytes(memory.constants)}, ` : '') +
    `sum of all tensors ${formatBytes(memory.allTensors)}, most live at once ${formatBytes(memory.mostLive)}` +
    ` (in the order of the source ${formatBytes(memory.mostLiveInSource)})` +
    (again
      ? `\n  computed again: ${again.works} ${again.works === 1 ? 'work' : 'works'}, ${formatCount(again.flops)} FLOPs (+${(100 * again.share).toFixed(1)} %)`
      : '');
  return `${name}${at.length === 0 ? '' : ` (${at.join(', ')})`}: ${head.join(', ')}\n${formatKernels(kernels)}${sizes}\n`;
}
