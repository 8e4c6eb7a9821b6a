import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWeights } from '../../../runtime/index.ts';
import { removeTemporaries, writeAtomically } from '../files.ts';
import type { Tensors } from '../tensors.ts';
import { BestSoFar } from './best.ts';
import {
  bestFile,
  type Checkpoint,
  isFinished,
  isTrainingFile,
  keepCheckpoint,
  type RunState,
  removeCheckpoints,
  weightsFile,
  writeCheckpoint,
} from './checkpoint.ts';
import { MetricsLog } from './log.ts';
import { beginning, type Measured, type Observer, type Position } from './loop.ts';
import { formatMetrics, type Progress } from './progress.ts';
import type { RunSettings } from './settings.ts';
import type { Metrics } from './trainer.ts';

/** How often checkpoints are written within an epoch. */
export type Interval = { readonly steps: number } | { readonly seconds: number };

export const defaultInterval: Interval = { seconds: 60 };

export type RecorderOptions = {
  readonly folder: string;
  readonly settings: RunSettings;
  readonly interval: Interval;
  readonly progress: Progress;
} & ({ readonly from: Checkpoint } | { readonly weights: Tensors });

/** Writes what a training leaves in its folder: metrics, weights, the best weights, checkpoints. */
export class Recorder implements Observer {
  readonly #options: RecorderOptions;
  readonly #log: MetricsLog | undefined;
  readonly #best: BestSoFar | undefined;
  /** The last whole epoch's, or those of the part that ended the training. */
  last: { readonly train: Metrics; readonly val?: Metrics };
  /** The last checkpoint. */
  saved: { readonly path: string; readonly step: number } | undefined;
  #savedAt = performance.now();

  /**
   * Goes on from a checkpoint, or begins with weights. Of an earlier training in the folder nothing is touched before
   * the checkpoint is written without which a new one, killed before its first step, could not be resumed.
   */
  constructor(options: RecorderOptions) {
    this.#options = options;
    const { folder, settings } = options;
    const from = 'from' in options ? options.from.state : undefined;
    if (settings.monitor) this.#best = new BestSoFar(settings.monitor, from?.best, from?.stale);
    this.last = from?.last ?? { train: {} };
    if ('from' in options) this.saved = { path: options.from.path, step: options.from.state.position.step };
    else this.#checkpoint(options.weights, beginning);
    this.#log = new MetricsLog(this.files.metrics, from?.logBytes);
    if (from) removeTemporaries(folder, isTrainingFile);
    else keepCheckpoint(folder, this.saved!.path);
    if ('from' in options && (isFinished(options.from.state) || !existsSync(this.files.weights)))
      this.#write(this.files.weights, options.from.weights);
    if (from && this.#log.length < from.logBytes)
      options.progress.line(
        `${this.files.metrics} is shorter than it was: lines of earlier steps are missing`,
      );
  }

  get files(): { readonly metrics: string; readonly weights: string; readonly best: string } {
    const at = (name: string): string => join(this.#options.folder, name);
    return { metrics: at('metrics.jsonl'), weights: at(weightsFile), best: at(bestFile) };
  }

  get best(): BestSoFar | undefined {
    return this.#best;
  }

  step(measured: Measured): void {
    this.#log!.write(measured);
    this.#options.progress.step(measured);
  }

  evaluating(examples: number, of: number): void {
    this.#options.progress.evaluating(examples, of);
  }

  epoch(epoch: number, validation: Measured | undefined, weights: Tensors): boolean {
    const { progress, settings } = this.#options;
    if (validation) this.#log!.write(validation, true);
    const train = progress.epoch(epoch, validation);
    this.last = { train, ...(validation && { val: validation.metrics }) };
    // Before the checkpoint that says so: killed between the two, the epoch's end is done again.
    if (validation && this.#best?.update(validation)) this.#write(this.files.best, weights);
    this.#write(this.files.weights, weights);
    return settings.patience !== undefined && (this.#best?.stale ?? 0) >= settings.patience;
  }

  due({ step }: Position): boolean {
    const { interval } = this.#options;
    if ('steps' in interval) return step % interval.steps === 0;
    return performance.now() - this.#savedAt >= 1000 * interval.seconds;
  }

  checkpoint(weights: Tensors, position: Position): void {
    this.#log!.sync();
    this.#checkpoint(weights, position);
    removeCheckpoints(this.#options.folder);
  }

  interrupt(weights: Tensors): void {
    this.#write(this.files.weights, weights);
  }

  /** The older checkpoint was for the case that the training does not end well. */
  finish(): void {
    keepCheckpoint(this.#options.folder, this.saved!.path);
  }

  close(): void {
    this.#log?.close();
  }

  summary(): string {
    const { train, val } = this.last;
    return [formatMetrics(train), ...(val ? [formatMetrics(val, 'val ')] : [])].join('  ');
  }

  #checkpoint(weights: Tensors, position: Position): void {
    const path = writeCheckpoint(this.#options.folder, weights, this.#state(position));
    this.saved = { path, step: position.step };
    this.#savedAt = performance.now();
  }

  #state(position: Position): RunState {
    const { settings, progress } = this.#options;
    return {
      version: 1,
      settings,
      position,
      logBytes: this.#log?.length ?? 0,
      means: progress.sums(),
      last: this.last,
      ...(this.#best?.best && { best: this.#best.best }),
      stale: this.#best?.stale ?? 0,
    };
  }

  #write(path: string, weights: Tensors): void {
    writeAtomically(path, writeWeights(Object.fromEntries(weights)));
  }
}
