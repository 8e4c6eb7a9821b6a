import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWeights } from '../../../runtime/index.ts';
import { readSafetensors } from '../../interop/safetensors.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { noCheckpoint } from '../../support/errors/training.ts';
import { readBytes, removeTemporaries, writeAtomically, writeError } from '../files.ts';
import { hostTensor, type Tensors } from '../tensors.ts';
import type { Best } from './best.ts';
import type { Position } from './loop.ts';
import type { Sums } from './progress.ts';
import type { RunSettings } from './settings.ts';
import type { Metrics } from './trainer.ts';

/** Everything of a training but its weights. */
export interface RunState {
  readonly version: 1;
  readonly settings: RunSettings;
  readonly position: Position;
  /** Bytes of metrics.jsonl at this position. */
  readonly logBytes: number;
  /** Sums over the examples of the epoch that is under way. */
  readonly means: Sums;
  /** Metrics of the last epoch that ended. */
  readonly last: { readonly train: Metrics; readonly val?: Metrics };
  readonly best?: Best;
  /** Epochs since the best one. */
  readonly stale: number;
}

export interface Checkpoint {
  readonly path: string;
  readonly weights: Tensors;
  readonly state: RunState;
}

/** The entry of the file's metadata that holds the state as JSON. */
const key = 'dnnc.training';
const pattern = /^checkpoint-(\d+)\.safetensors$/;

/** The newest and the one before: should a disk damage the one, there is the other. */
const kept = 2;

/** Names of files that a training writes as a whole. */
export const weightsFile = 'weights.safetensors';
export const bestFile = 'best.safetensors';

/** Whether a training with this state has nothing more to do. */
export function isFinished({ settings, position, stale }: RunState): boolean {
  return position.step >= settings.steps || (settings.patience !== undefined && stale >= settings.patience);
}

/** Writes DIR/checkpoint-STEP.safetensors and gives the path. */
export function writeCheckpoint(folder: string, weights: Tensors, state: RunState): string {
  const path = join(folder, `checkpoint-${state.position.step}.safetensors`);
  writeAtomically(path, writeWeights(Object.fromEntries(weights), { [key]: JSON.stringify(state) }));
  return path;
}

/** The newest checkpoint of a folder that is whole, and what is wrong with newer ones. */
export function findCheckpoint(folder: string): { found?: Checkpoint; damaged: string[] } {
  const damaged: string[] = [];
  for (const name of checkpoints(folder)) {
    const path = join(folder, name);
    try {
      return { found: readCheckpoint(path), damaged };
    } catch (error) {
      const reasons = error instanceof DiagnosticError ? error.diagnostics.map(d => d.message) : [];
      damaged.push(reasons.join(', ') || `${path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { damaged };
}

/** Throws `DiagnosticError` E0414 where a folder has no whole checkpoint; `say` is told about damaged ones. */
export function requireCheckpoint(folder: string, say: (text: string) => void): Checkpoint {
  const { found, damaged } = findCheckpoint(folder);
  if (!found) throw new DiagnosticError(noCheckpoint(folder, damaged));
  for (const text of damaged) say(`damaged, an older one is taken: ${text}\n`);
  return found;
}

/** Removes old checkpoints. */
export const removeCheckpoints = (folder: string): void => remove(folder, checkpoints(folder).slice(kept));

/** Removes all checkpoints but one, and what killed writers left behind. */
export function keepCheckpoint(folder: string, path: string): void {
  remove(
    folder,
    checkpoints(folder).filter(name => join(folder, name) !== path),
  );
  removeTemporaries(folder, isTrainingFile);
}

/** Whether a training writes files of this name as a whole. */
export const isTrainingFile = (name: string): boolean =>
  pattern.test(name) || name === weightsFile || name === bestFile;

function remove(folder: string, names: readonly string[]): void {
  try {
    for (const name of names) rmSync(join(folder, name), { force: true });
  } catch (error) {
    throw writeError(folder, error);
  }
}

/** The newest first. */
function checkpoints(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const step = (name: string): number => Number(pattern.exec(name)?.[1]);
  return names.filter(name => pattern.test(name)).sort((a, b) => step(b) - step(a));
}

function readCheckpoint(path: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(readBytes(path), path);
  const state: unknown = JSON.parse(metadata[key] ?? 'null');
  if (!isState(state)) throw new Error('it does not say where the training was');
  const weights = new Map([...tensors].map(([name, t]) => [name, hostTensor(t, `${path}: ${name}`)]));
  return { path, weights, state };
}

type Unknown = Readonly<Record<string, unknown>>;
const isObject = (v: unknown): v is Unknown => typeof v === 'object' && v !== null && !Array.isArray(v);
const isCount = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;

/** What another program may have put there is taken only where it can be used. */
function isState(value: unknown): value is RunState {
  if (!isObject(value) || value.version !== 1) return false;
  const { settings, position, means, last, best } = value;
  if (![settings, position, means, last].every(isObject)) return false;
  const { sums, weight } = means as Unknown;
  return (
    isSettings(settings as Unknown) &&
    ['step', 'epoch', 'batches'].every(name => isCount((position as Unknown)[name])) &&
    isCount(value.logBytes) &&
    isCount(value.stale) &&
    isCount(weight) &&
    isObject(sums) &&
    Object.values(sums).every(v => typeof v === 'number' || v === null) &&
    isObject((last as Unknown).train) &&
    (best === undefined ||
      (isObject(best) && typeof best.value === 'number' && isCount(best.step) && isCount(best.epoch)))
  );
}

function isSettings(settings: Unknown): boolean {
  const isText = (v: unknown): boolean => typeof v === 'string';
  const { patience, val, monitor } = settings;
  return (
    ['program', 'graph', 'target', 'data'].every(name => isText(settings[name])) &&
    ['batch', 'seed', 'steps'].every(name => isCount(settings[name])) &&
    settings.batch !== 0 &&
    ['shuffle', 'keepLast'].every(name => typeof settings[name] === 'boolean') &&
    (patience === undefined || isCount(patience)) &&
    (val === undefined || isText(val)) &&
    (monitor === undefined) === (val === undefined) &&
    (monitor === undefined ||
      (isObject(monitor) && isText(monitor.metric) && ['min', 'max'].includes(String(monitor.goal))))
  );
}
