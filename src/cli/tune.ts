import type { Module } from '../ir/module.ts';
import { takingFactors } from '../ir/target-matrices.ts';
import { type TuningTable, withTuned } from '../ir/tuning.ts';
import type { CompiledProgram } from '../passes/pipeline.ts';
import { openBackend } from './backend.ts';
import { exitCode, onDevice, unknownName } from './errors.ts';
import { formatTable } from './explain/table.ts';
import type { Io } from './io.ts';
import { loadCompiled, loadModule } from './load.ts';
import type { RunTarget, SourceOptions } from './options.ts';
import { note, type OutputOptions } from './output.ts';
import { listenForInterrupt } from './training/interrupt.ts';
import { openBar } from './training/progress.ts';
import type { Bench } from './tune/memory.ts';
import { type Found, search, signals, timeDefault } from './tune/search.ts';
import { openTable, saveTable } from './tune/table.ts';
import { type Task, tasksOf } from './tune/tasks.ts';

export interface TuneOptions extends SourceOptions, OutputOptions {
  readonly target: Exclude<RunTarget, 'interpret'>;
  /** One program alone. */
  readonly program?: string;
  /** Schedules to measure for each work, the default among them. */
  readonly top: number;
  readonly out?: string;
}

/** Works that take less than this part of all of them are left as they are. */
const significant = 0.01;

interface Row extends Found {
  readonly task: Task;
}

/**
 * `dnnc tune FILE`: measures the best schedules of every work that takes time, and keeps the best of each in a table. What
 * is done when Ctrl-C comes is kept.
 */
export async function tuneCommand(path: string, options: TuneOptions, io: Io): Promise<number> {
  const { out, dim = {} } = options;
  // What is wrong with the file, the sizes or the table is found before a device is looked for.
  loadModule(path, options, io);
  let table = openTable(out);
  const backend = await openBackend(options);
  try {
    note(io, `adapter: ${backend.name}\n`);
    const { module, compiled } = loadCompiled(path, options, io, { target: backend.target, checked: true });
    const programs = chosen([...compiled.programs.values()], options);
    requireKnownDims(programs, module, dim);
    const bench = await backend.bench();
    if (bench.note) note(io, `${bench.note}\n`);
    const adapter = backend.target.adapter!;
    const target = takingFactors(backend.target, options);
    const rows: Row[] = [];
    const interrupt = listenForInterrupt(() => {});
    try {
      const stopped = (): boolean => interrupt.code() !== undefined;
      const tasks = await worthwhile(bench, tasksOf(programs, dim, target), target, stopped, io);
      const bar = openBar(io, '{bar} {value}/{total} works  {work}', tasks.length, 0, { work: '' });
      for (const [i, task] of tasks.entries()) {
        if (stopped()) break;
        const found = await onDevice(() =>
          search(bench, task, target, options.top, stopped, (done, of) =>
            bar?.update(i, { work: `${task.name}: ${done}/${of} schedules` }),
          ),
        );
        if (!found) break;
        rows.push({ task, ...found });
        table = stored(table, adapter, backend.target.kind, task, found);
        if (out !== undefined) saveTable(out, table);
        bar?.update(i + 1);
        if (!bar) note(io, `${i + 1}/${tasks.length}  ${lineOf(task, found)}\n`);
      }
      bar?.stop();
      show({ path, adapter, rows, of: tasks.length, options }, io);
      return interrupt.code() ?? (rows.some(r => r.wrong.length > 0) ? exitCode.diagnostics : exitCode.fine);
    } finally {
      interrupt.release();
    }
  } finally {
    backend.close();
  }
}

/** The programs that were asked for; those that make initial parameters run once, and are not among them. */
function chosen(programs: readonly CompiledProgram[], { program }: TuneOptions): CompiledProgram[] {
  if (program === undefined) return programs.filter(p => !p.name.endsWith('.init'));
  const found = programs.filter(p => p.name === program);
  if (found.length > 0) return found;
  throw unknownName(
    'program',
    program,
    programs.map(p => p.name),
  );
}

/** A size that no program has would be measured for nothing. */
function requireKnownDims(
  programs: readonly CompiledProgram[],
  { trains }: Module,
  dim: Readonly<Record<string, number>>,
): void {
  // Those of a `param` are no longer free.
  const fixed = trains.flatMap(t => t.sizes.flatMap(name => [name, `${t.name}.${name}`]));
  const known = [...new Set([...programs.flatMap(p => p.plan.dims), ...fixed])];
  for (const name of Object.keys(dim)) if (!known.includes(name)) throw unknownName('free size', name, known);
}

/** Works in the order of the time that their defaults take, without those that hardly count. */
async function worthwhile(
  bench: Bench,
  tasks: readonly Task[],
  target: Parameters<typeof timeDefault>[2],
  stopped: () => boolean,
  io: Io,
): Promise<Task[]> {
  const timed: { task: Task; time: number }[] = [];
  for (const task of tasks) {
    await signals();
    if (stopped()) return [];
    try {
      timed.push({ task, time: task.times * (await timeDefault(bench, task, target)) });
    } catch (error) {
      note(io, `${task.name} is left out: ${(error as Error).message.split('\n')[0]}\n`);
    }
  }
  const total = timed.reduce((n, t) => n + t.time, 0);
  return timed
    .filter(t => t.time >= significant * total)
    .sort((a, b) => b.time - a.time)
    .map(t => t.task);
}

function stored(
  table: TuningTable,
  adapter: string,
  kind: Parameters<typeof withTuned>[2],
  { shape, sizes }: Task,
  { best, usual }: Found,
): TuningTable {
  return withTuned(table, adapter, kind, shape, {
    near: shape.near,
    schedule: best.schedule,
    milliseconds: rounded(best.milliseconds),
    usual: { schedule: usual.schedule, milliseconds: rounded(usual.milliseconds) },
    sizes,
  });
}

/** Four digits: more are noise, which would make tables differ. */
const rounded = (ms: number): number => Number(ms.toPrecision(4));

const ms = (x: number): string => (x < 0.1 ? x.toFixed(4) : x.toFixed(3));

const gain = ({ usual, best }: Found): string => `${(usual.milliseconds / best.milliseconds).toFixed(2)}x`;

const lineOf = ({ name }: Task, found: Found): string =>
  `${name}: ${ms(found.usual.milliseconds)} ms, ${gain(found)} with ${found.best.schedule}`;

interface Result {
  readonly path: string;
  readonly adapter: string;
  readonly rows: readonly Row[];
  readonly of: number;
  readonly options: TuneOptions;
}

function show({ path, adapter, rows, of, options: { out } }: Result, io: Io): void {
  const works = rows.map(({ task, ...found }) => ({
    name: task.name,
    shape: task.shape.exact,
    sizes: task.sizes,
    times: task.times,
    ...found,
    gain: found.usual.milliseconds / found.best.milliseconds,
  }));
  io.json?.set({ file: path, adapter, works, ...(out !== undefined && { table: out }) });
  if (of > 0 || rows.length > 0)
    io.out(
      formatTable(
        [
          { title: 'work', align: 'left' },
          { title: 'default ms', align: 'right' },
          { title: 'best ms', align: 'right' },
          { title: 'gain', align: 'right' },
          { title: 'measured', align: 'right' },
          { title: 'schedule', align: 'left' },
        ],
        rows.map(r => [
          r.task.name,
          ms(r.usual.milliseconds),
          ms(r.best.milliseconds),
          gain(r),
          String(r.measured),
          r.best.schedule,
        ]),
        0,
      ),
    );
  if (rows.length < of) io.err(`stopped after ${rows.length} of ${of} works\n`);
  for (const { task, wrong, refused } of rows) {
    for (const text of wrong) io.err(`not kept, other results: ${task.name}: ${text}\n`);
    for (const text of refused) io.err(`refused by the device: ${task.name}: ${text}\n`);
  }
  if (out !== undefined && rows.length > 0) note(io, `${out}: ${rows.length} works for ${adapter}\n`);
}
