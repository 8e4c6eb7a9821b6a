import { DiagnosticError } from '../../support/diagnostic.ts';
import { batchTooLarge, notFinite } from '../../support/errors/training.ts';
import type { Tensors } from '../tensors.ts';
import { isLoss } from './best.ts';
import { batchCount, type Dataset } from './data.ts';
import { evaluate, inFlight } from './evaluate.ts';
import type { Metrics, Trainer } from './trainer.ts';

/**
 * Where a training is: steps done in all, the epoch, and batches done of it. All batches of an epoch done, but not
 * yet the next epoch: its end (validation, best weights) is still to come.
 */
export interface Position {
  readonly step: number;
  readonly epoch: number;
  readonly batches: number;
}

export const beginning: Position = { step: 0, epoch: 0, batches: 0 };

export interface TrainingOptions {
  readonly data: Dataset;
  readonly validation?: Dataset;
  readonly batch: number;
  /** Batches to train on, over as many epochs as they take. */
  readonly steps: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly keepLast: boolean;
  /** Where to begin; the trainer has the weights of this position. */
  readonly from?: Position;
  /** Asked before every batch: whether to finish the steps in flight and end. */
  readonly interrupted?: () => boolean;
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

/** Is told what happens, in order. Weights that it gets are all finite. */
export interface Observer {
  step(measured: Measured): void;
  /** While the validation data are evaluated. */
  evaluating(examples: number, of: number): void;
  /** After every epoch, the last one possibly a part; `validation` where there is such data. True ends the training. */
  epoch(epoch: number, validation: Measured | undefined, weights: Tensors): boolean;
  /** Whether a checkpoint is wanted at this place within an epoch; costs a pause of the device. */
  due(position: Position): boolean;
  /** From these weights at this position the training goes on as if nothing had been. */
  checkpoint(weights: Tensors, position: Position): void;
  /** The training ends here because of `interrupted`; after the checkpoint. */
  interrupt(weights: Tensors, position: Position): void;
}

export type Ending = 'done' | 'stopped' | 'interrupted';

/** Batches of an epoch. Throws `DiagnosticError` E0412 where the data does not fill one. */
export function batchesPerEpoch(
  { examples }: Dataset,
  { batch, keepLast }: Pick<TrainingOptions, 'batch' | 'keepLast'>,
): number {
  const count = batchCount(examples, batch, keepLast);
  if (count === 0) throw new DiagnosticError(batchTooLarge(examples, batch));
  return count;
}

/**
 * Trains. Steps are submitted before the metrics of earlier ones are there. Throws an error that names the step whose
 * loss is not finite; what the observer got before is good.
 */
export async function runTraining(
  trainer: Trainer,
  options: TrainingOptions,
  observer: Observer,
): Promise<Ending> {
  const { data, batch, steps, keepLast, seed, shuffle, interrupted = () => false } = options;
  const perEpoch = batchesPerEpoch(data, options);
  const waiting: { step: number; epoch: number; examples: number; metrics: Promise<Metrics> }[] = [];
  const settle = async (): Promise<void> => {
    const { metrics, ...rest } = waiting.shift()!;
    const measured = { ...rest, metrics: await metrics };
    observer.step(measured);
    for (const [name, value] of Object.entries(measured.metrics))
      if (isLoss(name))
        requireFinite(value, `the ${name} of step ${measured.step} (epoch ${measured.epoch})`);
  };
  const weightsNow = async (): Promise<Tensors> => {
    while (waiting.length > 0) await settle();
    const weights = await trainer.save();
    for (const [name, { dtype, data: values }] of weights)
      if (dtype === 'f32') requireFinite(values, `${name} after step ${step - 1}`);
    return weights;
  };
  const interrupt = async (): Promise<Ending> => {
    const weights = await weightsNow();
    const position = { step, epoch, batches: done };
    observer.checkpoint(weights, position);
    observer.interrupt(weights, position);
    return 'interrupted';
  };

  let { step, epoch, batches: done } = options.from ?? beginning;
  trainer.steps = step;
  while (step < steps || done > 0) {
    const order = { epoch, size: batch, keepLast, skip: done, ...(shuffle && { shuffle: seed }) };
    for await (const feed of data.feeds(order)) {
      if (step === steps) break;
      if (interrupted()) return interrupt();
      if (waiting.length >= inFlight) await settle();
      const metrics = trainer.step(feed.batch, epoch);
      // Handled even where an earlier step ends the loop.
      metrics.catch(() => {});
      waiting.push({ step: step++, epoch, examples: feed.examples, metrics });
      const position = { step, epoch, batches: ++done };
      if (done < perEpoch && step < steps && observer.due(position))
        observer.checkpoint(await weightsNow(), position);
    }
    const weights = await weightsNow();
    // A training that ends within an epoch may be made longer later; then this end of an epoch never was.
    if (done < perEpoch) observer.checkpoint(weights, { step, epoch, batches: done });
    let validation: Measured | undefined;
    if (options.validation) {
      const { examples } = options.validation;
      const progress = (done: number): void => observer.evaluating(done, examples);
      const how = { batch, epoch, stopped: interrupted, progress };
      const metrics = await evaluate(trainer, options.validation, how);
      if (!metrics) return interrupt();
      validation = { step: step - 1, epoch, examples, metrics };
    }
    const enough = observer.epoch(epoch, validation, weights);
    const whole = done === perEpoch;
    done = 0;
    epoch++;
    if (whole) observer.checkpoint(weights, { step, epoch, batches: done });
    if (enough) return 'stopped';
  }
  return 'done';
}

function requireFinite(value: number | ArrayLike<number> | undefined, what: string): void {
  if (value === undefined) return;
  const values = typeof value === 'number' ? [value] : value;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!)) throw new DiagnosticError(notFinite(what, values[i]!));
}
