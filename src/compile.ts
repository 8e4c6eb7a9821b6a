import type { ModuleEntry } from './codegen/entry.ts';
import type { Module } from './ir/module.ts';
import { gpuTarget, type Target } from './ir/target.ts';
import type { Tuned } from './ir/tuning.ts';
import { parse } from './parser/parse.ts';
import { elaborate } from './passes/elaborate/index.ts';
import { type CompiledModule, compileModule, type StoragePrecision } from './passes/pipeline.ts';
import { type Diagnostic, DiagnosticError } from './support/diagnostic.ts';
import { emptyFile } from './support/errors/syntax.ts';
import type { Source } from './support/source.ts';

export interface CheckOptions {
  /** Finds the text of an imported file, by its path relative to the importing one; pure compilers need no file system. */
  readonly resolve?: (path: string) => Source | undefined;
  /** Values for `const`s, as `-D name=value`. */
  readonly defines?: Readonly<Record<string, number | boolean | string>>;
  /**
   * Values of free sizes that `param`s of training programs have, by name: `H`, or `stylize.H` for one program alone.
   * A name that no such `param` has is left free.
   */
  readonly sizes?: Readonly<Record<string, number>>;
}

export interface CompileOptions extends CheckOptions {
  /** Schedules are chosen for it; the portable GPU by default. */
  readonly target?: Target;
  /**
   * `f16` keeps tensors between kernels, and parameters that nothing trains, in half precision; sums and arithmetic stay
   * in f32. The kernels then need `shader-f16`. `f32` by default.
   */
  readonly precision?: StoragePrecision;
  /**
   * `sizes` that no device has room for are no error here: whoever gives them checks them against the device. Otherwise
   * they are E0224.
   */
  readonly sizesAreTried?: boolean;
  /**
   * Bytes that the memory of each program may take beside parameters and states, at the sizes given (64 for others):
   * results are let go of and computed again until it fits.
   */
  readonly memoryLimit?: number;
  /**
   * Convolutions are summed up as they are defined. Without it, 3x3 filters may go through Winograd's transforms, which take
   * a quarter of the products and lose about a digit: 1e-5 of the largest value where a plain sum loses 1e-6.
   */
  readonly exact?: boolean;
  /**
   * Products of f32 on matrix units, where the target has them, each factor as two numbers in f16: three products for one, and
   * some digits less than f32 has (decision 19). Without it, f32 is never rounded to take them.
   */
  readonly splitProducts?: boolean;
  /** Schedules that were measured, which go before those that are estimated: see `tunedFor`. */
  readonly tuned?: Tuned;
  /** Compiles only the programs with these names (`LeNet`, `mnist.step`); all where absent. */
  readonly only?: (program: string) => boolean;
  /** Is given the printed IR after every pass. */
  readonly watch?: (pass: string, text: string) => void;
}

export interface Checked {
  /** Absent where there are errors. */
  readonly module?: Module;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Compiled extends Checked {
  readonly compiled?: CompiledModule;
  /** Every net and training program with its plans, as code generation takes them. */
  readonly entries?: readonly ModuleEntry[];
}

const hasErrors = (list: readonly Diagnostic[]): boolean => list.some(d => d.severity === 'error');

const isSame = (a: Diagnostic, b: Diagnostic): boolean =>
  a.code === b.code && a.message === b.message && a.span?.start === b.span?.start;

/** Parses and elaborates: everything that can be wrong with a program is found here. Never throws on bad input. */
export function check(source: Source, options: CheckOptions = {}): Checked {
  const { file, diagnostics: syntax } = parse(source);
  if (hasErrors(syntax)) return { diagnostics: syntax };
  if (file.imports.length + file.declarations.length === 0) return { diagnostics: [emptyFile(source)] };
  const { module, diagnostics } = elaborate(file, options);
  const all = [...syntax, ...diagnostics];
  return module && !hasErrors(all) ? { module, diagnostics: all } : { diagnostics: all };
}

/** source -> AST -> graphs -> fused works -> kernels -> plans. Errors are values in `diagnostics`. */
export function compile(source: Source, options: CompileOptions = {}): Compiled {
  const { module, diagnostics } = check(source, options);
  if (!module) return { diagnostics };
  const later: Diagnostic[] = [];
  // Passes find again some of what checking did.
  const found = (): Diagnostic[] => [
    ...diagnostics,
    ...later.filter(d => !diagnostics.some(known => isSame(known, d))),
  ];
  try {
    const compiled = compileModule(module, {
      target: options.target ?? gpuTarget,
      diagnostics: later,
      ...(options.sizes && { sizes: options.sizes }),
      ...(options.sizesAreTried && { sizesAreTried: true }),
      ...(options.memoryLimit !== undefined && { memoryLimit: options.memoryLimit }),
      ...(options.precision && { precision: options.precision }),
      ...(options.exact && { exact: options.exact }),
      ...(options.splitProducts && { splitProducts: options.splitProducts }),
      ...(options.tuned && { tuned: options.tuned }),
      ...(options.only && { only: options.only }),
      ...(options.watch && { watch: options.watch }),
    });
    return { module, compiled, entries: moduleEntries(module, compiled), diagnostics: found() };
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return { diagnostics: [...found(), ...error.diagnostics] };
  }
}

/** Nets and training programs with the plans that were compiled for them. */
function moduleEntries(module: Module, { programs }: CompiledModule): ModuleEntry[] {
  const list = (
    keys: readonly (readonly [name: string, key: string, every?: number])[],
  ): ModuleEntry['programs'] =>
    keys.flatMap(([name, key, every = 1]) => {
      const found = programs.get(key);
      if (!found) return [];
      const { plan, variants } = found;
      return [{ name, plan, ...(variants && { variants }), ...(every > 1 && { every }) }];
    });
  return [
    ...module.nets.map(
      (net): ModuleEntry => ({
        kind: 'net',
        name: net.name,
        ...(net.span && { span: net.span }),
        programs: list([
          ['predict', net.name],
          ['init', `${net.name}.init`],
        ]),
      }),
    ),
    ...module.trains.map(
      (train): ModuleEntry => ({
        kind: 'train',
        name: train.name,
        ...(train.span && { span: train.span }),
        programs: list([
          ...train.steps.map(s => [s.name, `${train.name}.${s.name}`, s.every] as const),
          ['evaluate', `${train.name}.evaluate`],
          ['init', `${train.name}.init`],
          ...train.nets.map(net => [`net:${net}`, net] as const),
        ]),
      }),
    ),
  ].filter(entry => entry.programs.length > 0);
}
