import * as D from '../../ir/dim.ts';
import type { Train } from '../../ir/module.ts';
import { printType } from '../../ir/type.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { openSize } from '../../support/errors/shapes.ts';
import { unevenBatches } from '../../support/errors/training.ts';
import { unknownName, usageError } from '../errors.ts';
import type { StateSpec } from '../graphs.ts';
import type { Io } from '../io.ts';
import { type Checked, loadModule } from '../load.ts';
import type { SourceOptions } from '../options.ts';
import type { Dataset } from './data.ts';
import { findTrain, trainState } from './open.ts';

/** A training program of a file that is checked, and the options that it was checked with. */
export interface Opened<O extends SourceOptions> {
  readonly checked: Checked;
  readonly train: Train;
  readonly options: O;
}

/** The program with all sizes free, so that the data can be held against its types. */
export function openProgram<O extends SourceOptions>(
  path: string,
  program: string,
  options: O,
  io: Io,
): Opened<O> {
  const checked = loadModule(path, { ...options, dim: {} }, io);
  requireKnownSizes(checked, options);
  return { checked, train: findTrain(checked.module, program), options };
}

/** What is fed: where the sizes come from, and by its flag what is fed to the last example. */
export interface Feed {
  readonly data: Dataset;
  readonly batch: number;
  readonly whole: Readonly<Record<string, Dataset | undefined>>;
}

/**
 * The program with the free sizes of its `param`s fixed by what is fed first: the number of examples is the batch,
 * other sizes are those of the data, and what the data does not tell is said with `--dim`. Programs without such
 * sizes stay as they are, and serve every batch.
 */
export function fixSizes<O extends SourceOptions>(
  path: string,
  opened: Opened<O>,
  feed: Feed,
  io: Io,
): Opened<O> {
  const { train, options } = opened;
  if (train.sizes.length === 0) return opened;
  const { data } = feed;
  const batch = Math.min(feed.batch, data.examples);
  const found: Record<string, number> = {};
  for (const name of train.sizes) {
    const key = `${train.name}.${name}`;
    const param = trainState(train).find(s => hasSize(s, name))!;
    const isBatch = name === data.batchDim;
    const fed = isBatch ? batch : data.dims[name];
    const said = options.dim?.[key] ?? options.dim?.[name];
    const size = fed ?? said;
    if (size === undefined)
      throw new DiagnosticError(openSize(undefined, param.name, printType(param.type), [name]));
    if (said !== undefined && said !== size)
      throw usageError(`--dim ${name}=${said}: ${isBatch ? 'the batch' : 'the data'} has ${name} = ${size}`);
    for (const [flag, set] of Object.entries(feed.whole)) {
      if (set && isBatch && set.examples % size !== 0)
        throw new DiagnosticError(unevenBatches(flag, set.examples, size, param.name));
      if (set && !isBatch && (set.dims[name] ?? size) !== size)
        throw usageError(`${flag} has ${name} = ${set.dims[name]}, but ${param.name} is made for ${size}`);
    }
    found[key] = size;
  }
  const sized = { ...options, dim: { ...options.dim, ...found } };
  const checked = loadModule(path, sized, io, { shown: true });
  return { checked, train: findTrain(checked.module, train.name), options: sized };
}

const hasSize = ({ type }: StateSpec, name: string): boolean => type.shape.some(d => D.symbols(d).has(name));

/** Throws a usage error where `--dim` names a size that no `param` has. */
export function requireKnownSizes({ module }: Pick<Checked, 'module'>, { dim = {} }: SourceOptions): void {
  const known = module.trains.flatMap(t => t.sizes.flatMap(name => [name, `${t.name}.${name}`]));
  for (const name of Object.keys(dim))
    if (!known.includes(name)) throw unknownName('`param` with a free size', name, [...new Set(known)]);
}
