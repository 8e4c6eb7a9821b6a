import { DiagnosticError } from '../support/diagnostic.ts';
import { unfinishedTraining } from '../support/errors/training.ts';
import { CliError, exitCode, exitCodeOf, usageError } from './errors.ts';
import { ensureFolder, readTensors } from './files.ts';
import type { Io } from './io.ts';
import type { Checked } from './load.ts';
import { declaredWeights } from './net-weights.ts';
import type { SourceOptions } from './options.ts';
import { note, type OutputOptions } from './output.ts';
import type { Report, ReportOptions } from './report/report.ts';
import type { Tensors } from './tensors.ts';
import { type Checkpoint, findCheckpoint, isFinished, requireCheckpoint } from './training/checkpoint.ts';
import { defaults } from './training/defaults.ts';
import { type Interrupt, listenForInterrupt } from './training/interrupt.ts';
import { batchesPerEpoch, type Ending, runTraining } from './training/loop.ts';
import { openTrainer, readData, takeWeights, trainState } from './training/open.ts';
import { formatNumber, Progress } from './training/progress.ts';
import { defaultInterval, type Interval, Recorder } from './training/recorder.ts';
import { resumeCommand } from './training/resume-command.ts';
import {
  newSettings,
  type RunFlags,
  type RunInputs,
  type RunSettings,
  resumedSettings,
} from './training/settings.ts';
import { fixSizes, openProgram } from './training/sizes.ts';
import { startingWeights } from './training/starting-weights.ts';
import type { Trainer } from './training/trainer.ts';

export interface TrainOptions extends SourceOptions, OutputOptions, RunFlags {
  readonly data: string;
  readonly val?: string;
  readonly weights?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly overwrite?: boolean;
  readonly checkpointEvery?: Interval;
  /** The page that shows the training. */
  readonly report?: string;
}

/** A training with all that is known before a device is looked for. */
interface Plan extends RunInputs {
  readonly checked: Checked;
  /** As `--dim` says them. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly folder: string;
  readonly settings: RunSettings;
  /** Where it goes on from. */
  readonly from: Checkpoint | undefined;
  /** What it starts with instead of what `init` makes. */
  readonly weights: Tensors | undefined;
  readonly perEpoch: number;
}

/** `dnnc train FILE PROGRAM`: leaves metrics, weights, the best weights and checkpoints in a folder. */
export async function trainCommand(
  path: string,
  program: string,
  options: TrainOptions,
  io: Io,
): Promise<number> {
  const plan = await makePlan(path, program, options, io);
  const { folder, settings, data, validation, perEpoch, from } = plan;
  ensureFolder(folder);
  const { batch, target, seed, precision = 'f32', exact = false, splitProducts = false } = settings;
  const batches = [
    { program: 'step' as const, batch, data },
    ...(validation ? [{ program: 'evaluate' as const, batch, data: validation }] : []),
  ];
  const how = { ...options, dim: plan.sizes, target, precision, exact, splitProducts, seed, batches };
  const { trainer, close, ...opened } = await openTrainer(path, plan.checked, plan.train, how, io);
  const ran: Plan = { ...plan, settings: { ...settings, target: opened.target } };
  try {
    if (plan.weights) await trainer.load(plan.weights);
    const each = `${perEpoch} ${perEpoch === 1 ? 'batch' : 'batches'} of ${batch}`;
    note(io, `${program}: ${data.examples} examples, ${each} an epoch, ${settings.steps} steps\n`);
    if (from) note(io, `resumed at step ${from.state.position.step} from ${from.path}\n`);
    const command = resumeCommand(path, program, options, folder);
    const report = options.report && {
      file: options.report,
      path,
      source: { ...options, dim: plan.sizes },
      checked: plan.checked,
      inputs: { train: plan.train, data, validation },
      batch: Math.min(batch, data.examples),
    };
    return await runPlan(
      trainer,
      ran,
      { interval: options.checkpointEvery ?? defaultInterval, command, report },
      io,
    );
  } finally {
    trainer.dispose();
    close();
  }
}

/** Finds everything that can be wrong with flags and files; changes nothing. */
async function makePlan(path: string, program: string, options: TrainOptions, io: Io): Promise<Plan> {
  const folder = options.resume ?? options.out;
  if (folder === undefined)
    throw usageError('--out or --resume is missing', '--out DIR begins a training, --resume DIR goes on');
  const unsized = openProgram(path, program, options, io);
  const from = options.resume === undefined ? undefined : requireCheckpoint(folder, text => note(io, text));
  if (!from && !options.overwrite) requireFinished(folder);
  const seed = options.seed ?? from?.state.settings.seed ?? defaults.seed;
  const data = await readData(unsized.train, options.data, seed);
  // Made by other random numbers than what is trained on.
  const validation =
    options.val === undefined ? undefined : await readData(unsized.train, options.val, seed + 1);
  const inputs = { train: unsized.train, data, validation };
  const settings = from
    ? resumedSettings(options, inputs, from.state.settings, { folder, step: from.state.position.step })
    : newSettings(options, inputs);
  const { batch, keepLast } = settings;
  const whole = { '--data': keepLast ? data : undefined, '--val': validation };
  const { checked, train, options: sized } = fixSizes(path, unsized, { data, batch, whole }, io);
  let weights: Tensors | undefined;
  if (from) weights = takeWeights(checked.module, train, from.weights, () => true);
  else if (options.weights !== undefined)
    weights = startingWeights(checked, train, readTensors(options.weights), io);
  else weights = declaredWeights(checked.module, checked.file, trainState(train));
  if (from && from.state.settings.graph !== settings.graph)
    io.err(`${path} has changed since the checkpoint: the numbers are not those of an unbroken run\n`);
  const perEpoch = batchesPerEpoch(data, settings);
  return { ...inputs, train, checked, sizes: sized.dim ?? {}, folder, settings, from, weights, perEpoch };
}

/** Hours of work are not overwritten because a flag was forgotten. */
function requireFinished(folder: string): void {
  const state = findCheckpoint(folder).found?.state;
  if (state && state.position.step > 0 && !isFinished(state))
    throw new DiagnosticError(unfinishedTraining(folder, state.position.step, state.settings.steps));
}

interface RunWishes {
  readonly interval: Interval;
  /** How the training goes on. */
  readonly command: string;
  readonly report: Omit<ReportOptions, 'weights'> | '' | undefined;
}

/** Trains with everything that is shown and written on the way. */
async function runPlan(
  trainer: Trainer,
  { data, validation, settings, folder, from, perEpoch }: Plan,
  { interval, command, report: asked }: RunWishes,
  io: Io,
): Promise<number> {
  const { batch, steps, shuffle, seed, keepLast } = settings;
  const epochs = Math.ceil(steps / perEpoch);
  const state = from?.state;
  const progress = new Progress(io, steps, epochs, state?.position.step, state?.means);
  let recorder: Recorder | undefined;
  let report: Report | undefined;
  let interrupt: Interrupt | undefined;
  let ending: Ending;
  try {
    const begin = from ? { from } : { weights: await trainer.save() };
    if (asked) {
      const weights = from?.weights ?? (await trainer.save());
      report = new (await import('./report/report.ts')).Report({ ...asked, weights });
    }
    recorder = new Recorder({ folder, settings, interval, progress, ...begin });
    interrupt = listenForInterrupt(() => {
      progress.stop();
      io.err('interrupted: finishing the step and saving; a second time ends at once\n');
    });
    const { code } = interrupt;
    const options = {
      ...{ data, batch, steps, shuffle, seed, keepLast },
      ...(validation && { validation }),
      ...(state && { from: state.position }),
      interrupted: () => code() !== undefined,
    };
    ending =
      state && isStale(state.stale, settings)
        ? 'stopped'
        : await runTraining(trainer, options, report?.watch(recorder) ?? recorder);
    if (ending !== 'interrupted') recorder.finish();
  } catch (error) {
    throw recorder?.saved ? withSaved(error, recorder.saved, command) : error;
  } finally {
    interrupt?.release();
    progress.stop();
    recorder?.close();
  }
  const seconds = progress.seconds();
  report?.write(recorder.files.metrics, factsOf(settings, ending, seconds), io);
  conclude(recorder, settings, { ending, seconds, command, report: asked ? asked.file : undefined }, io);
  return ending === 'interrupted' ? interrupt.code()! : exitCode.fine;
}

const isStale = (stale: number, { patience }: RunSettings): boolean =>
  patience !== undefined && stale >= patience;

const factsOf = (
  { target, batch, seed, steps }: RunSettings,
  ending: Ending,
  seconds: number,
): readonly (readonly [string, string])[] => [
  ['ended', `${ending}, after ${seconds.toFixed(1)} s`],
  ['steps', `${steps} of ${batch} examples`],
  ['seed', `${seed}`],
  ['target', target],
];

function conclude(
  recorder: Recorder,
  settings: RunSettings,
  {
    ending,
    seconds,
    command,
    report,
  }: { ending: Ending; seconds: number; command: string; report: string | undefined },
  io: Io,
): void {
  const { files, last, best: watched, saved } = recorder;
  const best = watched?.best;
  const metric = watched?.monitor.metric;
  const interrupted = ending === 'interrupted';
  io.json?.set({
    program: settings.program,
    ending,
    step: saved!.step,
    steps: settings.steps,
    seconds,
    metrics: last.train,
    ...(last.val && { val: last.val }),
    ...(best && { best: { metric, ...best, file: files.best } }),
    files: {
      metrics: files.metrics,
      weights: files.weights,
      checkpoint: saved!.path,
      ...(report && { report }),
    },
    ...(interrupted && { resume: command }),
  });
  if (interrupted) io.err(`saved step ${saved!.step} of ${settings.steps}; go on with\n  ${command}\n`);
  if (ending === 'stopped')
    note(io, `stopped early: val ${metric} has not become better for ${watched!.stale} epochs\n`);
  if (!interrupted) note(io, `done in ${seconds.toFixed(1)} s: ${recorder.summary()}\n`);
  if (best) {
    const value = formatNumber(best.value);
    note(
      io,
      `best val ${metric} ${value} after epoch ${best.epoch + 1} (step ${best.step}): ${files.best}\n`,
    );
  }
  if (!interrupted) note(io, `${files.metrics}\n${files.weights}\n`);
  if (report) note(io, `${report}\n`);
}

/** The error with what is left of the training and how it goes on. */
function withSaved(error: unknown, saved: { path: string; step: number }, command: string): unknown {
  const message = `saved up to step ${saved.step}: ${saved.path}`;
  const resume = `it goes on with ${command}`;
  if (error instanceof DiagnosticError)
    return new DiagnosticError(
      ...error.diagnostics.map(d => ({
        ...d,
        notes: [...(d.notes ?? []), { message }],
        hint: d.hint ?? resume,
      })),
    );
  const code = exitCodeOf(error);
  if (code === exitCode.internal || !(error instanceof Error)) return error;
  const { hint, notes = [] } = error as Partial<CliError>;
  return new CliError(code, error.message, hint ?? resume, [...notes, message]);
}
