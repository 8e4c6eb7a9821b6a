import { dataError } from '../errors.ts';
import type { Tensors } from '../tensors.ts';
import { batchCount, batches, type Dataset } from './data.ts';
import { permutation } from './shuffle.ts';
import type { Metrics, Trainer } from './trainer.ts';

export interface TrainingOptions {
  readonly data: Dataset;
  readonly validation?: Dataset;
  readonly batch: number;
  /** Batches to train on, over as many epochs as they take. */
  readonly steps: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly keepLast: boolean;
}

/** Metrics of one step, or means over the validation data after the step that `step` names. */
export interface Measured {
  /** From 0, as the program's `iter`. */
  readonly step: number;
  /** From 0, as the program's `epoch`. */
  readonly epoch: number;
  readonly examples: number;
  readonly metrics: Metrics;
}

/** Is told what happens, in order. */
export interface Observer {
  step(measured: Measured): void;
  /** After every epoch; `validation` where there is such data. */
  epoch(epoch: number, validation: Measured | undefined): void;
  /** Weights that are all finite, after every epoch. */
  weights(weights: Tensors): void;
}

/** Enough that a device never waits for the host, and few enough that a loss that is not finite soon ends the run. */
const inFlight = 3;

/**
 * Trains. Steps are submitted before the metrics of earlier ones are there. Throws an error that names the step whose
 * loss is not finite; what `observer.weights` got before is good.
 */
export async function runTraining(
  trainer: Trainer,
  options: TrainingOptions,
  observer: Observer,
): Promise<void> {
  const { data, batch, steps, keepLast, seed } = options;
  const perEpoch = batchCount(data.examples, batch, keepLast);
  if (perEpoch === 0)
    throw dataError(
      `${data.examples} examples are fewer than a batch of ${batch}`,
      `use --batch ${data.examples} or --keep-last`,
    );
  const waiting: { step: number; epoch: number; examples: number; metrics: Promise<Metrics> }[] = [];
  const settle = async (): Promise<void> => {
    const { metrics, ...rest } = waiting.shift()!;
    const measured = { ...rest, metrics: await metrics };
    observer.step(measured);
    requireFinite(measured.metrics.loss, `the loss of step ${measured.step} (epoch ${measured.epoch})`);
  };
  let step = 0;
  for (let epoch = 0; step < steps; epoch++) {
    for (const rows of batches(examplesInOrder(options, epoch), batch, keepLast)) {
      if (step === steps) break;
      if (waiting.length >= inFlight) await settle();
      const metrics = trainer.step(data.batch(rows), epoch);
      // Handled even where an earlier step ends the loop.
      metrics.catch(() => {});
      waiting.push({ step: step++, epoch, examples: rows.length, metrics });
    }
    while (waiting.length > 0) await settle();
    const validation = options.validation && {
      step: step - 1,
      epoch,
      examples: options.validation.examples,
      metrics: await evaluate(trainer, options.validation, batch, epoch),
    };
    observer.epoch(epoch, validation);
    const weights = await trainer.save();
    for (const [name, { dtype, data: values }] of weights)
      if (dtype === 'f32') requireFinite(values, `${name} after step ${step - 1}`);
    observer.weights(weights);
  }

  function examplesInOrder({ shuffle }: TrainingOptions, epoch: number): Uint32Array {
    if (shuffle) return permutation(data.examples, seed, epoch);
    return Uint32Array.from({ length: data.examples }, (_, i) => i);
  }
}

function requireFinite(value: number | ArrayLike<number> | undefined, what: string): void {
  if (value === undefined) return;
  const values = typeof value === 'number' ? [value] : value;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw dataError(
        `${what} is ${Number.isNaN(values[i]!) ? 'not a number' : 'infinite'}; training stopped`,
        'a smaller learning rate may help; the weights of the last good epoch are kept',
      );
}

/** Means of the metrics over all examples, each batch weighted by its size. */
export async function evaluate(
  trainer: Trainer,
  data: Dataset,
  batch: number,
  epoch: number,
): Promise<Metrics> {
  const order = Uint32Array.from({ length: data.examples }, (_, i) => i);
  const sums = new Map<string, number[]>();
  const scalars = new Set<string>();
  const waiting: { weight: number; metrics: Promise<Metrics> }[] = [];
  const settle = async (): Promise<void> => {
    const { weight, metrics } = waiting.shift()!;
    for (const [name, value] of Object.entries(await metrics)) {
      if (typeof value === 'number') scalars.add(name);
      const values = typeof value === 'number' ? [value] : value;
      const sum = sums.get(name) ?? values.map(() => 0);
      sums.set(
        name,
        sum.map((s, i) => s + weight * values[i]!),
      );
    }
  };
  for (const rows of batches(order, batch, true)) {
    if (waiting.length >= inFlight) await settle();
    const metrics = trainer.evaluate(data.batch(rows), epoch);
    metrics.catch(() => {});
    waiting.push({ weight: rows.length / data.examples, metrics });
  }
  while (waiting.length > 0) await settle();
  return Object.fromEntries([...sums].map(([name, sum]) => [name, scalars.has(name) ? sum[0]! : sum]));
}
