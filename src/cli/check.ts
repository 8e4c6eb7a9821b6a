import { exitCode } from './errors.ts';
import type { Io } from './io.ts';
import { loadModule } from './load.ts';
import type { SourceOptions } from './options.ts';

/** `dnnc check FILE`: everything that can be wrong with a program, found before anything runs. */
export async function checkCommand(path: string, options: SourceOptions, io: Io): Promise<number> {
  const { module } = loadModule(path, options, io);
  const found = [...module.nets.map(n => `net ${n.name}`), ...module.trains.map(t => `train ${t.name}`)];
  io.json?.set({ file: path, nets: module.nets.map(n => n.name), trains: module.trains.map(t => t.name) });
  io.out(`${path}: ${found.length === 0 ? 'nothing to export' : found.join(', ')}: no errors\n`);
  return exitCode.fine;
}
