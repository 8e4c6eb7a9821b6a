import { evaluate, roundUp } from '../tensor.ts';
import type { Layout } from './memory.ts';
import type { WasmProgram } from './plan.ts';

/** Parts of a dispatch that each thread takes, about: fewer leave threads idle at its end, more cost taking. */
const parts = 4;

interface Step {
  readonly kernel: number;
  readonly groups: number;
  readonly bindings: readonly (readonly [buffer: 0 | 1 | 2, offset: number])[];
}

/** A list of dispatches in memory. */
export interface Table {
  readonly at: number;
  /** Whether more than one thread finds work in it. */
  readonly parallel: boolean;
}

/** A program for certain free dims: all sizes evaluated, tables written once for a given layout of the memory. */
export class Recording {
  readonly program: WasmProgram;
  readonly dims: readonly number[];
  readonly arenaBytes: number;
  readonly constantBytes: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly { name: string; shape: readonly number[]; offset: number }[];
  /** Bytes that uniforms, arguments and tables take. */
  readonly bytes: number;
  /** Where they are, once written. */
  uniforms = 0;
  prologue: Table | undefined;
  main: Table | undefined;
  /** The layout's epoch for which they were written. */
  epoch = -1;
  readonly #steps: readonly Step[];
  readonly #prologue: readonly Step[];
  readonly #main: readonly Step[];

  constructor(program: WasmProgram, dims: readonly number[]) {
    this.program = program;
    this.dims = dims;
    const of = (size: WasmProgram['arenaBytes']): number => evaluate(size, dims);
    this.arenaBytes = of(program.arenaBytes);
    this.constantBytes = of(program.constantBytes);
    this.inputs = program.inputs.map(t => of(t.offset));
    this.outputs = program.outputs.map(({ name, shape, offset }) => ({
      name,
      shape: shape.map(d => (typeof d === 'string' ? dims[program.dims.indexOf(d)]! : of(d))),
      offset: of(offset),
    }));
    const steps = program.dispatches.map(({ kernel, groups, bindings }) => ({
      kernel,
      groups: of(groups),
      bindings: bindings.map(([buffer, offset]) => [buffer, of(offset)] as const),
    }));
    const turns: Step[][] = steps.map(step => (step.groups > 0 ? [step] : []));
    for (const [from, to, times] of program.loops ?? []) {
      const turn = turns.slice(from, to).flat();
      turns.fill([], from, to);
      turns[from] = Array.from({ length: of(times) }, () => turn).flat();
    }
    // Packed weights and the like come first; what is the same for every turn is one step with one list of arguments.
    this.#prologue = turns.slice(0, program.prologue).flat();
    this.#main = turns.slice(program.prologue).flat();
    this.#steps = [...new Set([...this.#prologue, ...this.#main])];
    const args = this.#steps.reduce((n, { bindings }) => n + 1 + bindings.length, 0);
    const words = this.#uniformWords + args + 4 * (this.#prologue.length + this.#main.length + 2);
    this.bytes = roundUp(words * 4, 64) + 64;
  }

  get #uniformWords(): number {
    return roundUp(Math.max(4, this.program.dims.length + this.program.scalars.length), 16);
  }

  /** Writes tables and what they point to at `at`, for so many threads. */
  write(layout: Layout, at: number, constants: number, threads: number): void {
    const { words, state, arena } = layout;
    const bases = [state, arena, constants];
    let next = at / 4;
    this.uniforms = at;
    next += this.#uniformWords;
    const args = new Map<Step, number>();
    for (const step of this.#steps) {
      args.set(step, next * 4);
      words[next++] = this.uniforms;
      for (const [buffer, offset] of step.bindings) words[next++] = bases[buffer]! + offset;
    }
    const table = (steps: readonly Step[]): Table | undefined => {
      if (steps.length === 0) return undefined;
      const at = next * 4;
      words.set([steps.length, layout.scratch, this.#scratch, 0], next);
      next += 4;
      for (const step of steps) {
        const { kernel, groups } = step;
        words.set([kernel, groups, args.get(step)!, Math.ceil(groups / (threads * parts))], next);
        next += 4;
      }
      return { at, parallel: steps.some(s => s.groups > 1) };
    };
    this.prologue = table(this.#prologue);
    this.main = table(this.#main);
    this.epoch = layout.epoch;
  }

  /** Scratch bytes of a thread; threads share no line of a cache. */
  get #scratch(): number {
    return roundUp(this.program.scratchBytes, 64);
  }
}
