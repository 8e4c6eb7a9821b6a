import { buildModel } from '../codegen/model.ts';
import type { DimEnv } from '../ir/dim.ts';
import type { Module } from '../ir/module.ts';
import { asCode, pages } from '../support/pages/index.ts';
import { printPage } from '../support/pages/print.ts';
import { describeAdapter, openDevice, targetFor, targetOf } from './adapter.ts';
import { exitCode, unknownName, usageError } from './errors.ts';
import { formatLayers, formatNets, type LayerTable, layersOf } from './explain/layers.ts';
import { formatProgram, reportProgram, sizesOf } from './explain/programs.ts';
import { timePrograms } from './explain/timing.ts';
import { expandGraph } from './graphs.ts';
import type { Io } from './io.ts';
import { type Loaded, loadCompiled, loadModule, withDiagnostics } from './load.ts';
import type { Profile, SourceOptions } from './options.ts';

export interface ExplainOptions extends SourceOptions {
  readonly profile?: Profile;
  readonly time?: boolean;
  /** Tables of layers alone: nothing is compiled. */
  readonly layers?: boolean;
  readonly depth?: number;
}

/**
 * `dnnc explain FILE`: layers, kernels after fusion, memory, and with `--time` how long a run takes. With the code of
 * a diagnostic in place of the file: its page.
 */
export async function explainCommand(path: string, options: ExplainOptions, io: Io): Promise<number> {
  const code = asCode(path);
  if (code !== undefined) return explainCode(code, io);
  if (options.layers) {
    if (options.time) throw usageError('--time needs what --layers leaves out', 'give one of them');
    const { file, module } = loadModule(path, { ...options, dim: {} }, io);
    const nets = withDiagnostics(file, io, () => showNets(module, options, io));
    io.json?.set({ file: path, nets });
    return exitCode.fine;
  }
  const device = options.time ? await openDevice(options) : undefined;
  try {
    if (device) {
      io.out(`adapter: ${describeAdapter(device)}\n\n`);
      io.json?.set({ adapter: describeAdapter(device) });
    }
    const { profile } = options;
    // What is timed is compiled for the adapter that runs it, unless another profile is asked for.
    const target =
      device && (profile ?? 'auto') === 'auto'
        ? targetOf(device)
        : await targetFor(profile ?? 'gpu', options);
    const loaded = loadCompiled(path, options, io, { target });
    const dims = options.dim ?? {};
    const nets = showNets(loaded.module, options, io);
    const times = device ? await measure(loaded, dims, device) : undefined;
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

/** Milliseconds by the names of compiled programs. A program that belongs to several entries is measured in one. */
async function measure(
  { entries, compiled }: Loaded,
  given: DimEnv,
  device: GPUDevice,
): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const entry of entries) {
    const own = entry.programs.flatMap(({ name, plan }) => {
      const program = [...compiled.programs.values()].find(p => p.plan === plan);
      return program && !times.has(program.name) ? [{ name, plan, program }] : [];
    });
    const timed = own.map(({ name, plan, program }) => ({ name, plan, dims: sizesOf(program, given) }));
    const found = await timePrograms(buildModel(entry, compiled.layout), timed, device);
    for (const { name, program } of own) times.set(program.name, found.get(name)!);
  }
  return times;
}
