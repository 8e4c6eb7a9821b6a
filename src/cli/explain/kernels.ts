import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { TileSide } from '../../ir/kernel.ts';
import type { Plan } from '../../ir/plan.ts';
import { printTile } from '../../ir/print/kernel.ts';
import { turnsAt } from '../../ir/program.ts';
import { flopsOf } from '../../passes/flops.ts';
import { trafficOf } from '../../passes/traffic.ts';
import { place } from '../../support/source.ts';
import { type Column, formatBytes, formatCount, formatTable } from './table.ts';

/** One dispatch of a program: how it was scheduled, and what all its runs in one run of the program come to. */
export interface KernelReport {
  readonly name: string;
  /** The distinct kernel that runs, of which this may be one of several uses. */
  readonly kernel: string;
  /** The place of the layer or function in the source. */
  readonly source?: string;
  readonly absorbed: readonly string[];
  readonly schedule: string;
  /** Which part it is, where a work became several. */
  readonly role?: string;
  readonly tile: readonly TileSide[];
  readonly workgroupTile?: readonly TileSide[];
  readonly unroll: readonly TileSide[];
  readonly workgroups: number;
  readonly workgroupSize: number;
  /** How often a run dispatches it: the turns of its loops. */
  readonly times: number;
  /** It depends on parameters alone: it runs when they have changed, and not in every run. */
  readonly once: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
  /** Where it was measured: of all its runs. */
  readonly milliseconds?: number;
  /** Of all kernels that run every time. */
  readonly share?: number;
}

/** A row for each dispatch of a plan; `milliseconds` of one run of each, in the same order, where they were measured. */
export function reportKernels(
  plan: Plan,
  dims: DimEnv,
  milliseconds?: readonly number[],
): readonly KernelReport[] {
  const turns = turnsAt(dims);
  const times = plan.dispatches.map((_, i) =>
    plan.loops.reduce((n, { loop, from, to }) => (from <= i && i < to ? n * turns(loop) : n), 1),
  );
  const { prologue = 0 } = plan;
  const all = milliseconds?.reduce((n, ms, i) => (i < prologue ? n : n + ms * times[i]!), 0) ?? 0;
  return plan.dispatches.map(({ name, kernel, scheduled, origin }, i) => {
    const { schedule, groups, workgroupSize } = scheduled;
    const traffic = schedule ? trafficOf(schedule.compute, dims) : { read: 0, written: 0 };
    const n = times[i]!;
    const once = i < prologue;
    const spent = milliseconds && milliseconds[i]! * n;
    return {
      name,
      kernel: plan.kernels[kernel]!.name,
      ...(origin.span && { source: place(origin.span) }),
      absorbed: schedule?.absorbed ?? [],
      schedule: schedule?.name ?? '',
      ...(schedule?.role && { role: schedule.role }),
      tile: schedule?.tile ?? [],
      ...(schedule?.workgroup && { workgroupTile: schedule.workgroup }),
      unroll: schedule?.unroll ?? [],
      workgroups: D.evaluate(groups, dims),
      workgroupSize,
      times: n,
      once,
      bytesRead: n * traffic.read,
      bytesWritten: n * traffic.written,
      flops: schedule ? n * flopsOf(schedule.compute, dims) : 0,
      ...(spent !== undefined && { milliseconds: spent }),
      ...(spent !== undefined && !once && { share: spent / (all || 1) }),
    };
  });
}

interface Cell extends Column {
  readonly of: (k: KernelReport) => string;
  /** Whether there is anything to see in it; always where absent. */
  readonly shown?: (all: readonly KernelReport[]) => boolean;
  readonly sum?: (all: readonly KernelReport[]) => string;
}

const sum = (all: readonly KernelReport[], of: (k: KernelReport) => number): number =>
  all.reduce((n, k) => (k.once ? n : n + of(k)), 0);

/** Three digits, also of microseconds. */
const formatMs = (ms: number): string => (ms < 1 ? ms.toPrecision(3) : ms.toFixed(2));

const isTimed = (all: readonly KernelReport[]): boolean => all.some(k => k.milliseconds !== undefined);

const cells: readonly Cell[] = [
  { title: 'kernel', align: 'left', of: k => k.name, sum: () => 'all' },
  { title: 'workgroups', align: 'right', of: k => formatCount(k.workgroups) },
  {
    title: 'of',
    align: 'right',
    of: k => String(k.workgroupSize),
    shown: all => all.some(k => k.workgroupSize !== 1),
  },
  {
    title: 'times',
    align: 'right',
    of: k => (k.once ? 'once' : formatCount(k.times)),
    shown: all => all.some(k => k.times !== 1 || k.once),
  },
  {
    title: 'read',
    align: 'right',
    of: k => formatBytes(k.bytesRead),
    sum: all => formatBytes(sum(all, k => k.bytesRead)),
  },
  {
    title: 'written',
    align: 'right',
    of: k => formatBytes(k.bytesWritten),
    sum: all => formatBytes(sum(all, k => k.bytesWritten)),
  },
  {
    title: 'FLOPs',
    align: 'right',
    of: k => formatCount(k.flops),
    sum: all => formatCount(sum(all, k => k.flops)),
  },
  {
    title: 'ms',
    align: 'right',
    of: k => formatMs(k.milliseconds ?? 0),
    shown: isTimed,
    sum: all => formatMs(sum(all, k => k.milliseconds ?? 0)),
  },
  {
    title: 'share',
    align: 'right',
    of: k => (k.share === undefined ? '' : `${(100 * k.share).toFixed(1)} %`),
    shown: isTimed,
  },
  { title: 'schedule', align: 'left', of: k => (k.role ? `${k.schedule} (${k.role})` : k.schedule) },
  {
    title: 'tile',
    align: 'left',
    of: k => printTile({ tile: k.tile, unroll: k.unroll, workgroup: k.workgroupTile ?? [] }),
  },
  { title: 'source', align: 'left', of: k => k.source ?? '' },
  { title: 'absorbed', align: 'left', of: k => tally(k.absorbed) },
];

/** A row for each kernel, and what those that run every time come to together. */
export function formatKernels(kernels: readonly KernelReport[]): string {
  const shown = cells.filter(c => c.shown?.(kernels) ?? true);
  const rows = kernels.map(k => shown.map(c => c.of(k)));
  const all = kernels.length > 1 ? [shown.map(c => c.sum?.(kernels) ?? '')] : [];
  return kernels.length === 0 ? '' : formatTable(shown, [...rows, ...all]);
}

/** `mul + add + mul` as `mul ×2 + add` */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n === 1 ? name : `${name} ×${n}`)).join(' + ');
}
