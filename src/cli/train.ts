import { join } from 'node:path';
import { writeWeights } from '../../runtime/index.ts';
import { buildModel } from '../codegen/model.ts';
import type { Module, Train } from '../ir/module.ts';
import { moduleGraphs } from '../passes/pipeline.ts';
import { describeAdapter, openDevice, targetOf } from './adapter.ts';
import { exitCode, unknownName } from './errors.ts';
import { ensureFolder, readTensors, writeAtomically } from './files.ts';
import { expandGraph, inputsOf, type StateSpec, stateOf } from './graphs.ts';
import type { Io } from './io.ts';
import { type Checked, loadCompiled, loadModule, withDiagnostics } from './load.ts';
import type { RunTarget, SourceOptions } from './options.ts';
import { matchTensors, type TensorSpec, type Tensors } from './tensors.ts';
import { batchCount, type Dataset, makeDataset } from './training/data.ts';
import { DeviceTrainer } from './training/device.ts';
import { InterpretedTrainer } from './training/interpreted.ts';
import { MetricsLog } from './training/log.ts';
import { runTraining } from './training/loop.ts';
import { formatMetrics, Progress } from './training/progress.ts';
import type { Metrics, Trainer } from './training/trainer.ts';

export interface TrainOptions extends SourceOptions {
  readonly data: string;
  readonly val?: string;
  readonly batch: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly shuffle: boolean;
  readonly keepLast: boolean;
  readonly weights?: string;
  readonly seed: number;
  readonly target: RunTarget;
  readonly out: string;
}

const defaultEpochs = 10;

/** `dnnc train FILE PROGRAM`: writes DIR/metrics.jsonl, and DIR/weights.safetensors after every epoch. */
export async function trainCommand(
  path: string,
  program: string,
  options: TrainOptions,
  io: Io,
): Promise<number> {
  const checked = loadModule(path, options, io);
  const train = checked.module.trains.find(t => t.name === program);
  if (!train) {
    throw unknownName(
      'training program',
      program,
      checked.module.trains.map(t => t.name),
    );
  }
  // Everything that can be wrong with files is found before a device is looked for.
  const specs = inputsOf(train.step, 'data');
  for (const spec of inputsOf(train.evaluate, 'data'))
    if (!specs.some(s => s.name === spec.name)) specs.push(spec);
  const data = readData(program, specs, options.data);
  const validation = options.val === undefined ? undefined : readData(program, specs, options.val);
  const state = stateOf([train.step, train.evaluate, train.init]);
  const weights =
    options.weights === undefined ? undefined : readWeightsFor(checked.module, train, state, options.weights);

  const perEpoch = batchCount(data.examples, options.batch, options.keepLast);
  const steps = options.steps ?? (options.epochs ?? defaultEpochs) * perEpoch;
  const epochs = Math.ceil(steps / Math.max(perEpoch, 1));
  const folder = ensureFolder(options.out);
  const { trainer, close } = await openTrainer(path, checked, train, state, options, io);
  try {
    if (weights) await trainer.load(weights);
    const batches = `${perEpoch} ${perEpoch === 1 ? 'batch' : 'batches'} of ${options.batch}`;
    io.out(`${program}: ${data.examples} examples, ${batches} an epoch, ${steps} steps\n`);
    const outcome = await observe(trainer, { data, validation, steps, epochs }, options, folder, io);
    io.out(`done in ${outcome.seconds.toFixed(1)} s: ${outcome.summary}\n`);
    io.out(`${join(folder, 'metrics.jsonl')}\n${join(folder, 'weights.safetensors')}\n`);
    return exitCode.fine;
  } finally {
    trainer.dispose();
    close();
  }
}

interface Work {
  readonly data: Dataset;
  readonly validation: Dataset | undefined;
  readonly steps: number;
  readonly epochs: number;
}

/** Trains with everything that is shown and written on the way. */
async function observe(
  trainer: Trainer,
  { data, validation, steps, epochs }: Work,
  { batch, shuffle, seed, keepLast }: TrainOptions,
  folder: string,
  io: Io,
): Promise<{ seconds: number; summary: string }> {
  const log = new MetricsLog(join(folder, 'metrics.jsonl'));
  const progress = new Progress(io, steps, epochs);
  let last: Metrics = {};
  let lastValidation: Metrics | undefined;
  try {
    await runTraining(
      trainer,
      { data, ...(validation && { validation }), batch, steps, shuffle, seed, keepLast },
      {
        step(measured) {
          log.write(measured);
          progress.step(measured);
        },
        epoch(epoch, measured) {
          if (measured) log.write(measured, true);
          lastValidation = measured?.metrics;
          last = progress.epoch(epoch, measured);
        },
        weights(tensors) {
          writeAtomically(join(folder, 'weights.safetensors'), writeWeights(Object.fromEntries(tensors)));
        },
      },
    );
  } finally {
    progress.stop();
    log.close();
  }
  const parts = [formatMetrics(last), ...(lastValidation ? [formatMetrics(lastValidation, 'val ')] : [])];
  return { seconds: progress.seconds(), summary: parts.join('  ') };
}

function readData(program: string, specs: readonly TensorSpec[], file: string): Dataset {
  return makeDataset(program, specs, readTensors(file), file);
}

/** Every parameter must be there; states may be, and without them start anew. What other programs of the file have is left out. */
function readWeightsFor(module: Module, train: Train, state: readonly StateSpec[], file: string): Tensors {
  const all = readTensors(file);
  const needed = state.filter(s => s.role === 'param' || all.has(s.name));
  const others = new Set(stateOf(moduleGraphs(module).map(([, graph]) => graph)).map(s => s.name));
  matchTensors(`train ${train.name}`, needed, all, { isKnown: name => others.has(name) });
  return new Map(needed.map(({ name }) => [name, all.get(name)!]));
}

interface Opened {
  readonly trainer: Trainer;
  readonly close: () => void;
}

async function openTrainer(
  path: string,
  { file }: Checked,
  train: Train,
  state: readonly StateSpec[],
  options: TrainOptions,
  io: Io,
): Promise<Opened> {
  if (options.target === 'interpret') {
    const graphs = withDiagnostics(file, io, () => ({
      step: expandGraph(train.step),
      evaluate: expandGraph(train.evaluate),
      init: expandGraph(train.init),
    }));
    return { trainer: new InterpretedTrainer(graphs, state, options.seed), close: () => {} };
  }
  const device = await openDevice();
  try {
    io.out(`adapter: ${describeAdapter(device)}\n`);
    const names = new Set(['step', 'evaluate', 'init'].map(p => `${train.name}.${p}`));
    const { entries, compiled } = loadCompiled(path, options, io, {
      target: targetOf(device),
      only: name => names.has(name),
      checked: true,
    });
    const entry = entries.find(e => e.kind === 'train' && e.name === train.name)!;
    const trainer = await DeviceTrainer.open(buildModel(entry, compiled.layout), device, options.seed);
    return { trainer, close: () => device.destroy() };
  } catch (error) {
    device.destroy();
    throw error;
  }
}
