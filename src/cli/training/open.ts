import type { Module, Train } from '../../ir/module.ts';
import { requireKernels } from '../adapter.ts';
import { openBackend } from '../backend.ts';
import { readColumns, readStream } from '../data/read.ts';
import { onDevice, unknownName } from '../errors.ts';
import { expandGraph, inputsOf, type StateSpec, stateOf } from '../graphs.ts';
import type { Io } from '../io.ts';
import { type Checked, loadCompiled, withDiagnostics } from '../load.ts';
import { othersIn } from '../net-weights.ts';
import type { RunTarget, SourceOptions } from '../options.ts';
import { note } from '../output.ts';
import { matchTensors, type TensorSpec, type Tensors, withFloatsOf } from '../tensors.ts';
import { againLines } from './again.ts';
import { type Dataset, makeDataset } from './data.ts';
import { DeviceTrainer } from './device.ts';
import { InterpretedTrainer } from './interpreted.ts';
import type { Batch, Trainer } from './trainer.ts';

/** Throws a usage error with the names that there are. */
export function findTrain({ trains }: Module, name: string): Train {
  const found = trains.find(t => t.name === name);
  if (found) return found;
  throw unknownName(
    'training program',
    name,
    trains.map(t => t.name),
  );
}

/** The data that a program is fed, for steps and for validation. */
export function dataOf({ steps, evaluate }: Train): TensorSpec[] {
  const all = [...steps.map(s => s.graph), evaluate].flatMap(graph => inputsOf(graph, 'data'));
  return all.filter((spec, i) => all.findIndex(s => s.name === spec.name) === i);
}

/** `seed` is for modules that make their examples. */
export async function readData(train: Train, file: string, seed: number): Promise<Dataset> {
  const specs = dataOf(train);
  const stream = await readStream(file, specs, seed);
  const columns = stream?.columns ?? (await readColumns(file, specs, seed));
  return makeDataset(train.name, specs, columns, file, stream);
}

/** Parameters and states of a training program. */
export const trainState = ({ steps, evaluate, init }: Train): StateSpec[] =>
  stateOf([...steps.map(s => s.graph), evaluate, init]);

/**
 * Those of a file's tensors that are wanted; `isNeeded` says which must be there. What other programs have is left
 * out, anything else is an error, and all errors come at once.
 */
export function takeWeights(
  module: Module,
  train: Train,
  given: Tensors,
  isNeeded: (spec: StateSpec) => boolean,
): Tensors {
  const wanted = trainState(train).filter(s => isNeeded(s) || given.has(s.name));
  const all = withFloatsOf(wanted, given);
  matchTensors(`train ${train.name}`, wanted, all, othersIn(module));
  return new Map(wanted.map(({ name }) => [name, all.get(name)!]));
}

export interface OpenedTrainer {
  readonly trainer: Trainer;
  /** What `auto` came to be. */
  readonly target: Exclude<RunTarget, 'auto'>;
  readonly close: () => void;
}

export interface OpenTrainerOptions extends SourceOptions {
  readonly target: RunTarget;
  readonly threads?: number;
  readonly seed: number;
  /** The most examples that each program gets at once, and the data with their sizes. */
  readonly batches: readonly {
    readonly program: 'step' | 'evaluate';
    readonly batch: number;
    readonly data: Dataset;
  }[];
}

/** What first values are made from where they follow the data: the first examples. */
function firstBatch({ batches }: OpenTrainerOptions): Batch {
  const [first] = batches;
  if (!first) return {};
  const rows = Array.from({ length: Math.min(first.batch, first.data.examples) }, (_, i) => i);
  return first.data.batch(rows);
}

/** Makes a training program ready to run. Throws where its batches cannot fit the device. */
export async function openTrainer(
  path: string,
  { file }: Checked,
  train: Train,
  options: OpenTrainerOptions,
  io: Io,
): Promise<OpenedTrainer> {
  const { target, seed, batches } = options;
  requireKernels(options.precision, target);
  const feed = firstBatch(options);
  if (target === 'interpret') {
    const graphs = withDiagnostics(file, io, () => ({
      steps: train.steps.map(({ every, graph }) => ({ every, graph: expandGraph(graph) })),
      evaluate: expandGraph(train.evaluate),
      init: expandGraph(train.init),
    }));
    const interpreted = new InterpretedTrainer(graphs, trainState(train), seed, feed);
    return { trainer: interpreted, target, close: () => {} };
  }
  const backend = await openBackend({ ...options, target });
  let trainer: DeviceTrainer | undefined;
  try {
    note(io, `adapter: ${backend.name}\n`);
    io.json?.set({ adapter: backend.name });
    const names = new Set(
      [...train.steps.map(s => s.name), 'evaluate', 'init'].map(p => `${train.name}.${p}`),
    );
    const sized = { ...options, dim: { ...sizesOfBatch(train, feed), ...options.dim } };
    const { entries, compiled } = loadCompiled(path, sized, io, {
      target: backend.target,
      only: name => names.has(name),
      checked: true,
      sizesAreTried: true,
    });
    if (options.memoryLimit !== undefined) note(io, againLines(compiled, sized.dim));
    const entry = entries.find(e => e.kind === 'train' && e.name === train.name)!;
    trainer = await DeviceTrainer.open(backend, entry, compiled.layout, { seed, feed });
    const opened = trainer;
    await onDevice(async () => {
      for (const { program, batch, data } of batches)
        opened.requireMemory(program, Math.min(batch, data.examples), data);
    });
    return { trainer: opened, target: backend.kind, close: () => backend.close() };
  } catch (error) {
    trainer?.dispose();
    backend.close();
    throw error;
  }
}

/** Free dims that a batch shows, for which memory is packed. */
function sizesOfBatch(train: Train, feed: Batch): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { name, type } of dataOf(train))
    type.shape.forEach((d, i) => {
      const size = feed[name]?.shape[i];
      const [term] = d.terms;
      if (size !== undefined && term?.atoms[0]?.kind === 'symbol' && term.atoms[0].key === d.key)
        sizes[d.key] = size;
    });
  return sizes;
}
