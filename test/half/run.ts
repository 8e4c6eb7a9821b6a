import { type CompileOptions, compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Precision } from '../../src/ir/scalar.ts';
import { gpuTarget, type Target } from '../../src/ir/target.ts';
import type { CompiledModule, CompiledProgram, StoragePrecision } from '../../src/passes/pipeline.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import type { Source } from '../../src/support/source.ts';

export type Arrays = Readonly<Record<string, NdArray>>;

export interface How {
  /** What tensors are kept in. */
  readonly storage: StoragePrecision;
  /** What the interpreter computes in. */
  readonly precision: Precision;
  /** Whether scheduled kernels run instead of the fused works. */
  readonly kernels?: boolean;
  readonly target?: Target;
}

export const exact: How = { storage: 'f32', precision: 'f64' };
export const single: How = { storage: 'f32', precision: 'f32' };
export const half: How = { storage: 'f16', precision: 'f32' };

/** Compiles, or throws what is wrong with the source. */
export function build(source: Source, options: CompileOptions): CompiledModule {
  const { compiled, diagnostics } = compile(source, options);
  if (!compiled) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  return compiled;
}

/** A file whose programs run on the interpreter, one after the other, over a state that they share. */
export class Interpreted {
  readonly #compiled: CompiledModule;
  readonly #how: How;
  readonly state: Record<string, NdArray> = {};

  constructor(source: Source, how: How, options: CompileOptions = {}) {
    const { storage: precision, target = gpuTarget } = how;
    this.#how = how;
    this.#compiled = build(source, { ...options, precision, target });
  }

  program(name: string): CompiledProgram {
    return this.#compiled.programs.get(name)!;
  }

  run(name: string, inputs: Arrays = {}, scalars: Readonly<Record<string, number>> = {}): Arrays {
    const { program, scheduled } = this.program(name);
    const given: Record<string, NdArray> = { ...this.state, ...inputs };
    const dims: Record<string, number> = {};
    for (const { role, path, type } of program.tensors) {
      if (path === undefined) continue;
      if (role === 'key') given[path] = ndarray('u32', [2], [1, scalars.step ?? 0]);
      if (role === 'scalar') given[path] = ndarray(type.dtype, [], [scalars[path] ?? 0]);
      const { shape } = given[path] ?? {};
      if (role === 'input' || role === 'data')
        type.shape.forEach((d, i) => {
          const [symbol] = D.symbols(d);
          if (symbol === d.key) dims[symbol] = shape![i]!;
        });
    }
    const { precision, kernels } = this.#how;
    const { outputs, state } = interpretProgram(program, given, {
      dims,
      precision,
      ...(kernels && { kernels: scheduled }),
    });
    for (const [path, array] of state) this.state[path] = array;
    return Object.fromEntries(outputs);
  }
}

/** The largest distance from what it should be, relative to the largest of those. */
export function distance(actual: NdArray, expected: NdArray): number {
  const scale = expected.data.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return (
    expected.data.reduce((m, x, i) => {
      const gap = Math.abs(actual.data[i]! - x);
      return gap <= m ? m : gap;
    }, 0) / (scale || 1)
  );
}
