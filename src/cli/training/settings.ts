import { createHash } from 'node:crypto';
import type { Train } from '../../ir/module.ts';
import { printGraph } from '../../ir/print/graph.ts';
import type { StoragePrecision } from '../../passes/pipeline.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { otherTraining } from '../../support/errors/training.ts';
import { usageError } from '../errors.ts';
import type { RunTarget } from '../options.ts';
import { chooseMonitor, firstLoss, type Monitor } from './best.ts';
import type { Dataset } from './data.ts';
import { defaults } from './defaults.ts';
import { batchesPerEpoch } from './loop.ts';

/** What was asked for on the command line; what is absent was not. */
export interface RunFlags {
  readonly batch?: number;
  readonly epochs?: number;
  readonly steps?: number;
  /** False by `--no-shuffle` only. */
  readonly shuffle: boolean;
  readonly keepLast?: boolean;
  readonly seed?: number;
  readonly target?: RunTarget;
  /** Decides no number. */
  readonly threads?: number;
  readonly precision?: StoragePrecision;
  readonly exact?: boolean;
  readonly splitProducts?: boolean;
  readonly patience?: number;
  readonly monitor?: string;
}

/** What decides a training's numbers; kept in its checkpoints. */
export interface RunSettings {
  readonly program: string;
  /** Digests of the program and of the data. */
  readonly graph: string;
  readonly data: string;
  readonly val?: string;
  /** Where it ran; `auto` before that is known. */
  readonly target: RunTarget;
  /** `f32` where absent. */
  readonly precision?: StoragePrecision;
  /** No where absent. */
  readonly exact?: boolean;
  /** No where absent. */
  readonly splitProducts?: boolean;
  readonly batch: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly keepLast: boolean;
  readonly steps: number;
  readonly patience?: number;
  /** Where there is validation data. */
  readonly monitor?: Monitor;
}

export interface RunInputs {
  readonly train: Train;
  readonly data: Dataset;
  readonly validation: Dataset | undefined;
}

/**
 * The settings of a training that begins. Throws where the data does not fill a batch, or where a metric cannot be
 * watched.
 */
export function newSettings(flags: RunFlags, { train, data, validation }: RunInputs): RunSettings {
  if (!validation) requireNoMonitor(flags);
  // What is fed whole is one example.
  const { batch = data.batchDim === undefined ? 1 : defaults.batch, keepLast = false } = flags;
  const perEpoch = batchesPerEpoch(data, { batch, keepLast });
  return {
    program: train.name,
    graph: graphDigest(train),
    data: data.digest,
    ...(validation && { val: validation.digest }),
    target: flags.target ?? defaults.target,
    ...(flags.precision === 'f16' && { precision: flags.precision }),
    ...(flags.exact && { exact: true }),
    ...(flags.splitProducts && { splitProducts: true }),
    batch,
    seed: flags.seed ?? defaults.seed,
    shuffle: flags.shuffle,
    keepLast,
    steps: flags.steps ?? (flags.epochs ?? defaults.epochs) * perEpoch,
    ...(flags.patience !== undefined && { patience: flags.patience }),
    ...(validation && { monitor: chooseMonitor(flags.monitor ?? firstLoss(train.evaluate), train.evaluate) }),
  };
}

/**
 * The settings of a training that goes on: its own, except for how long it runs. Throws `DiagnosticError` E0415 with
 * a line for each flag that was given and differs.
 */
export function resumedSettings(
  flags: RunFlags,
  inputs: RunInputs,
  before: RunSettings,
  at: { readonly folder: string; readonly step: number },
): RunSettings {
  const { train, data, validation } = inputs;
  if (!validation && before.val === undefined) requireNoMonitor(flags);
  const differences: string[] = [];
  const compare = (name: string, given: unknown, ofRun: unknown): void => {
    if (given !== undefined && given !== ofRun)
      differences.push(`${name}: the training has ${ofRun}, here it is ${given}`);
  };
  compare('the training program', train.name, before.program);
  compare('--batch', flags.batch, before.batch);
  compare('--seed', flags.seed, before.seed);
  // Left to choose, it goes on where it ran.
  if (flags.target !== 'auto') compare('--target', flags.target, before.target);
  compare('--precision', flags.precision, before.precision ?? 'f32');
  if (flags.splitProducts && !before.splitProducts)
    differences.push('--split-products: the training runs without it');
  if (flags.exact && !before.exact) differences.push('--exact: the training runs without it');
  if (!flags.shuffle && before.shuffle) differences.push('--no-shuffle: the training shuffles');
  if (flags.keepLast && !before.keepLast)
    differences.push('--keep-last: the training leaves the last, partial batch out');
  if (data.digest !== before.data) differences.push('--data: these are not the data of the training');
  if (validation?.digest !== before.val)
    differences.push(
      `--val: ${
        validation === undefined
          ? 'the training has validation data, here there is none'
          : before.val === undefined
            ? 'the training has no validation data'
            : 'these are not the validation data of the training'
      }`,
    );
  if (differences.length === 0 && flags.monitor !== undefined) {
    const { metric, goal } = chooseMonitor(flags.monitor, train.evaluate);
    compare('--monitor', `${metric}:${goal}`, `${before.monitor!.metric}:${before.monitor!.goal}`);
  }
  if (differences.length === 0) {
    const perEpoch = batchesPerEpoch(data, before);
    const steps = flags.steps ?? (flags.epochs === undefined ? before.steps : flags.epochs * perEpoch);
    if (steps >= at.step)
      return {
        ...before,
        graph: graphDigest(train),
        steps,
        ...(flags.patience !== undefined && { patience: flags.patience }),
      };
    const flag = flags.steps === undefined ? '--epochs' : '--steps';
    differences.push(`${flag}: the training is at step ${at.step} already, this is to step ${steps}`);
  }
  throw new DiagnosticError(otherTraining(at.folder, differences));
}

function requireNoMonitor({ patience, monitor }: RunFlags): void {
  if (patience !== undefined || monitor !== undefined)
    throw usageError(
      `${patience === undefined ? '--monitor' : '--patience'} needs --val`,
      'metrics of the validation data are what is watched',
    );
}

/** Tells programs apart; where nodes come from, which means nothing, is left out. */
function graphDigest({ steps }: Train): string {
  const text = steps.map(s => `${s.every}\n${printGraph(s.graph, { origins: false })}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
