import { exitCode } from './errors.ts';
import { readTensors } from './files.ts';
import { stateOf } from './graphs.ts';
import type { Io } from './io.ts';
import type { RunTarget, SourceOptions } from './options.ts';
import { note, type OutputOptions } from './output.ts';
import { evaluate } from './training/evaluate.ts';
import { openTrainer, readData, takeWeights } from './training/open.ts';
import { formatNumber, openBar } from './training/progress.ts';
import { fixSizes, openProgram } from './training/sizes.ts';

export interface EvalOptions extends SourceOptions, OutputOptions {
  readonly data: string;
  readonly weights: string;
  readonly batch: number;
  readonly target: RunTarget;
  readonly threads?: number;
}

/** `dnnc eval FILE PROGRAM`: the metrics of a training program over all examples of a file, in inference mode. */
export async function evalCommand(
  path: string,
  program: string,
  options: EvalOptions,
  io: Io,
): Promise<number> {
  const unsized = openProgram(path, program, options, io);
  const data = await readData(unsized.train, options.data, 0);
  const batch = Math.min(options.batch, data.examples);
  const feed = { data, batch, whole: { '--data': data } };
  const { checked, train, options: sized } = fixSizes(path, unsized, feed, io);
  // The state of normalisations too: without it the metrics would be those of another net.
  const read = new Set(stateOf([train.evaluate]).map(s => s.name));
  const weights = takeWeights(checked.module, train, readTensors(options.weights), s => read.has(s.name));
  const batches = [{ program: 'evaluate' as const, batch, data }];
  const { trainer, close } = await openTrainer(path, checked, train, { ...sized, seed: 0, batches }, io);
  const bar = openBar(io, `${program} {bar} {value}/{total} examples  {eta} s left`, data.examples, 0, {});
  try {
    await trainer.load(weights);
    const began = performance.now();
    const metrics = await evaluate(trainer, data, { batch, epoch: 0, progress: n => bar?.update(n) });
    bar?.stop();
    io.json?.set({ program, examples: data.examples, metrics });
    for (const [name, value] of Object.entries(metrics!))
      io.out(`${name} ${typeof value === 'number' ? formatNumber(value) : JSON.stringify(value)}\n`);
    note(io, `${data.examples} examples in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    return exitCode.fine;
  } finally {
    bar?.stop();
    trainer.dispose();
    close();
  }
}
