import { type Compiled, type CompileOptions, check, compile } from '../compile.ts';
import type { Module } from '../ir/module.ts';
import { gpuTarget } from '../ir/target.ts';
import { tunedFor } from '../ir/tuning.ts';
import type { CompiledModule } from '../passes/pipeline.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { printDiagnostics } from './diagnostics.ts';
import { Reported } from './errors.ts';
import { readSource, type SourceFile } from './files.ts';
import type { Io } from './io.ts';
import type { SourceOptions } from './options.ts';
import { readTable } from './tune/table.ts';

export interface Checked {
  readonly file: SourceFile;
  readonly module: Module;
}

export interface Loaded extends Checked {
  readonly compiled: CompiledModule;
  readonly entries: NonNullable<Compiled['entries']>;
}

/**
 * Reads and checks a file and shows its diagnostics; where it was checked before, errors alone, which other sizes may
 * bring. Throws `Reported` where there is one.
 */
export function loadModule(
  path: string,
  options: SourceOptions,
  io: Io,
  { shown = false }: { readonly shown?: boolean } = {},
): Checked {
  const file = readSource(path);
  const { module, diagnostics } = check(file.source, {
    resolve: file.resolve,
    defines: options.define ?? {},
    sizes: options.dim ?? {},
  });
  if (!module || !shown) printDiagnostics(diagnostics, file, io);
  if (!module) throw new Reported();
  return { file, module };
}

export interface LoadOptions
  extends Omit<CompileOptions, 'resolve' | 'defines' | 'sizes' | 'tuned' | keyof SourceOptions> {
  /** Warnings have been shown by `loadModule`. */
  readonly checked?: boolean;
}

/** Reads and compiles a file and shows its diagnostics. Throws `Reported` where one is an error. */
export function loadCompiled(
  path: string,
  options: SourceOptions,
  io: Io,
  { checked = false, ...how }: LoadOptions = {},
): Loaded {
  const file = readSource(path);
  const { kind, adapter } = how.target ?? gpuTarget;
  const tuned = options.tuning === undefined ? undefined : tunedFor(readTable(options.tuning), kind, adapter);
  const { module, compiled, entries, diagnostics } = compile(file.source, {
    ...how,
    ...(tuned && { tuned }),
    ...(options.precision && { precision: options.precision }),
    ...(options.memoryLimit !== undefined && { memoryLimit: options.memoryLimit }),
    ...(options.exact && { exact: options.exact }),
    ...(options.splitProducts && { splitProducts: options.splitProducts }),
    resolve: file.resolve,
    defines: options.define ?? {},
    sizes: options.dim ?? {},
  });
  const failed = !module || !compiled || !entries;
  if (failed || !checked) printDiagnostics(diagnostics, file, io);
  if (failed) throw new Reported();
  return { file, module, compiled, entries };
}

/** Shows what a pass that is run here finds wrong with the program. */
export function withDiagnostics<T>(file: SourceFile, io: Io, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    printDiagnostics(error.diagnostics, file, io);
    throw new Reported();
  }
}
