import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { TensorValue } from '../../runtime/index.ts';
import type { Backend } from '../../src/cli/backend.ts';
import { readSource } from '../../src/cli/files.ts';
import { expandGraph } from '../../src/cli/graphs.ts';
import { DeviceTrainer } from '../../src/cli/training/device.ts';
import { InterpretedTrainer } from '../../src/cli/training/interpreted.ts';
import { trainState } from '../../src/cli/training/open.ts';
import type { Trainer } from '../../src/cli/training/trainer.ts';
import { check, compile } from '../../src/compile.ts';
import { renderDiagnostic } from '../../src/support/render.ts';

export type Batch = Readonly<Record<string, TensorValue>>;

const seed = 1;

/** A training program of an example, small enough for a test. */
export interface Small {
  readonly example: string;
  readonly program: string;
  /** As `-D` and `--dim` set them. */
  readonly defines?: Readonly<Record<string, number>>;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly batch: Batch;
  /** 30 where absent. */
  readonly steps?: number;
  /** Whether the metrics in inference mode are wanted too. */
  readonly evaluates?: boolean;
}

/** Of `lenet`, or of a further file: `autoencoder/kinds`. */
export const exampleFile = (name: string): string => {
  const path = name.includes('/') ? name : `${name}/${name}`;
  return fileURLToPath(new URL(`../../examples/${path}.dnn`, import.meta.url));
};

export interface Trained {
  /** Metrics of each step on the same batch. */
  readonly steps: readonly Metrics[];
  /** In inference mode, without dropout and augmentation, before the first step and after the last. */
  readonly evaluated: readonly Metrics[];
  /** A parameter or state in the end. */
  read(name: string): number[];
}

/** Trains on one batch, again and again; without a backend on the interpreter. */
export async function trainExample(small: Small, backend?: Backend): Promise<Trained> {
  const { batch, steps: count = 30, evaluates } = small;
  const trainer = backend ? await compiledFor(small, backend) : interpreted(small);
  const steps: Metrics[] = [];
  const evaluated: Metrics[] = [];
  const evaluate = async (): Promise<void> => {
    if (evaluates) evaluated.push((await trainer.evaluate(batch, 0)) as Metrics);
  };
  try {
    await evaluate();
    for (let i = 0; i < count; i++) steps.push((await trainer.step(batch, 0)) as Metrics);
    await evaluate();
    const kept = await trainer.save();
    return { steps, evaluated, read: name => [...kept.get(name)!.data] };
  } finally {
    trainer.dispose();
  }
}

/** The loss is finite all the way, and in the end, the last three steps taken together, at most half of the first. */
export function expectHalved(metrics: readonly Metrics[], name = 'loss'): void {
  const values = metrics.map(m => m[name]!);
  expect(values.filter(v => !Number.isFinite(v))).toEqual([]);
  const last = values.length > 3 ? values.slice(-3) : values.slice(-1);
  expect(last.reduce((a, b) => a + b) / last.length).toBeLessThanOrEqual(values[0]! / 2);
}

export type Metrics = Readonly<Record<string, number>>;

function interpreted({ example, program, defines = {}, sizes = {}, batch }: Small): Trainer {
  const file = readSource(exampleFile(example));
  const { module, diagnostics } = check(file.source, { resolve: file.resolve, defines, sizes });
  const train = module?.trains.find(t => t.name === program);
  if (!train) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  const graphs = {
    steps: train.steps.map(({ every, graph }) => ({ every, graph: expandGraph(graph) })),
    evaluate: expandGraph(train.evaluate),
    init: expandGraph(train.init),
  };
  return new InterpretedTrainer(graphs, trainState(train), seed, batch);
}

async function compiledFor(small: Small, backend: Backend): Promise<Trainer> {
  const { example, program, defines = {}, sizes = {}, batch, evaluates } = small;
  const file = readSource(exampleFile(example));
  const { compiled, entries, diagnostics } = compile(file.source, {
    resolve: file.resolve,
    defines,
    sizes,
    target: backend.target,
    only: name => name.startsWith(`${program}.`) && (evaluates || name !== `${program}.evaluate`),
  });
  const entry = entries?.find(e => e.name === program);
  if (!compiled || !entry) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  return DeviceTrainer.open(backend, entry, compiled.layout, { seed, feed: batch });
}
