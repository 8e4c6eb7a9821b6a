import type { DimEnv } from '../ir/dim.ts';
import type { Module } from '../ir/module.ts';
import { type Target, wasmTarget } from '../ir/target.ts';
import { asCode, pages } from '../support/pages/index.ts';
import { printPage } from '../support/pages/print.ts';
import { describeAdapter, openDevice, targetFor, targetOf } from './adapter.ts';
import { describeThreads } from './backend.ts';
import { exitCode, unknownName, usageError } from './errors.ts';
import { clockOf, whileCalled } from './explain/clocks.ts';
import { formatLayers, formatNets, type LayerTable, layersOf } from './explain/layers.ts';
import { chosen, formatProgram, reportProgram, sizesOf } from './explain/programs.ts';
import { type ProgramTimes, timePrograms } from './explain/timing.ts';
import { expandGraph } from './graphs.ts';
import type { Io } from './io.ts';
import { type Loaded, loadCompiled, loadModule, withDiagnostics } from './load.ts';
import type { Profile, SourceOptions } from './options.ts';

export interface ExplainOptions extends SourceOptions {
  readonly target?: 'webgpu' | 'wasm';
  readonly threads?: number;
  /** `true`, without a value: the same as `time`. */
  readonly profile?: Profile | true;
  readonly time?: boolean;
  /** Tables of layers alone: nothing is compiled. */
  readonly layers?: boolean;
  readonly depth?: number;
}

/**
 * `dnnc explain FILE`: layers, kernels after fusion, memory, and with `--time` how long a run takes and each kernel in it.
 * With the code of a diagnostic in place of the file: its page.
 */
export async function explainCommand(path: string, options: ExplainOptions, io: Io): Promise<number> {
  const code = asCode(path);
  if (code !== undefined) return explainCode(code, io);
  const timed = options.time === true || options.profile === true;
  const profile = options.profile === true ? undefined : options.profile;
  if (options.layers) {
    if (timed) throw usageError('--time needs what --layers leaves out', 'give one of them');
    const { file, module } = loadModule(path, { ...options, dim: {} }, io);
    const nets = withDiagnostics(file, io, () => showNets(module, options, io));
    io.json?.set({ file: path, nets });
    return exitCode.fine;
  }
  const inWasm = options.target === 'wasm';
  if (inWasm && profile) throw usageError('--profile chooses kernels for webgpu', 'leave it out for wasm');
  const device = timed && !inWasm ? await openDevice(options) : undefined;
  try {
    if (timed) {
      const adapter = device ? describeAdapter(device) : describeThreads(options.threads);
      const clock = (device ? clockOf(device) : whileCalled).name;
      io.out(`adapter: ${adapter}\nkernels timed by ${clock}\n\n`);
      io.json?.set({ adapter, clock });
    }
    const target = inWasm ? wasmTarget : await gpuTargetFor(profile, device, options);
    const loaded = loadCompiled(path, options, io, { target });
    const dims = options.dim ?? {};
    const nets = showNets(loaded.module, options, io);
    const times = timed ? await measure(loaded, dims, { device, threads: options.threads }) : undefined;
    const programs = [...loaded.compiled.programs].map(([name, program]) =>
      reportProgram(program, sizesOf(program, dims), times?.get(name)),
    );
    io.json?.set({ file: path, target: target.name, nets, programs });
    io.out(`kernels for ${target.name}\n\n`);
    for (const program of programs) io.out(`${formatProgram(program)}\n`);
    return exitCode.fine;
  } finally {
    device?.destroy();
  }
}

/** What is timed is compiled for the adapter that runs it, unless another profile is asked for. */
async function gpuTargetFor(
  profile: Profile | undefined,
  device: GPUDevice | undefined,
  options: ExplainOptions,
): Promise<Target> {
  return device && (profile ?? 'auto') === 'auto' ? targetOf(device) : targetFor(profile ?? 'gpu', options);
}

/** Prints the table of every net, and where there are more than one, all side by side. */
function showNets(
  { nets }: Module,
  { dim = {}, depth }: ExplainOptions,
  io: Io,
): ({ readonly name: string } & LayerTable)[] {
  const tables = nets.map(({ name, predict }) => ({
    name,
    ...layersOf(expandGraph(predict), dim, depth === undefined ? {} : { depth }),
  }));
  for (const net of tables) io.out(`${formatLayers(`net ${net.name}`, net)}\n`);
  if (tables.length > 1) io.out(`nets\n${formatNets(tables)}\n`);
  return tables;
}

/** `dnnc explain E0204`: what a diagnostic means, with an example and the cure. */
function explainCode(code: string, io: Io): number {
  const page = pages.get(code);
  if (!page) throw unknownName('diagnostic', code, [...pages.keys()]);
  io.json?.set({ ...page });
  io.out(printPage(page));
  return exitCode.fine;
}

/** By the names of compiled programs. A program that belongs to several entries is measured in one. */
async function measure(
  { entries, compiled }: Loaded,
  given: DimEnv,
  machine: Parameters<typeof timePrograms>[3],
): Promise<Map<string, ProgramTimes>> {
  const times = new Map<string, ProgramTimes>();
  for (const entry of entries) {
    const own = entry.programs.flatMap(({ name, plan }) => {
      const program = [...compiled.programs.values()].find(p => p.plan === plan);
      return program && !times.has(program.name) ? [{ name, program, dims: sizesOf(program, given) }] : [];
    });
    const timed = own.map(({ name, program, dims }) => ({ name, plan: chosen(program, dims).plan, dims }));
    const found = await timePrograms(entry, compiled.layout, timed, machine);
    for (const { name, program } of own) times.set(program.name, found.get(name)!);
  }
  return times;
}
