import { checkCounts } from '../limits.ts';
import { roundUp } from '../tensor.ts';
import type { Layout } from './memory.ts';
import type { WasmProgram } from './plan.ts';
import { Recording } from './recording.ts';

/** The sizes of so many last used sets of free dims are kept for each program. */
const kept = 16;

/** What a program's prologue has made: where, and of what. */
export interface Constants {
  readonly at: number;
  readonly bytes: number;
  /** The parameters' version and the free dims; empty: nothing yet. */
  made: string;
}

/** Programs ready to run: their tables, their constants and the memory that they need. */
export class Recordings {
  readonly #layout: Layout;
  readonly #threads: number;
  readonly #made = new Map<WasmProgram, Map<string, Recording>>();
  readonly #constants = new Map<WasmProgram, Constants>();
  #constantsEnd = 0;
  /** Bytes of tables in use since `#epoch`. */
  #used = 0;
  #epoch = 0;

  constructor(layout: Layout, threads: number) {
    this.#layout = layout;
    this.#threads = threads;
  }

  constants(program: WasmProgram): Constants | undefined {
    return this.#constants.get(program);
  }

  /** The first plan that fits, with its tables and all memory in place. Throws `BufferError`. */
  get(where: string, plans: readonly WasmProgram[], dims: readonly number[]): Recording {
    const program = plans.find(p => p.fits?.(...dims) ?? true);
    const sizes = plans[0]!.dims.map((d, i) => `${d} = ${dims[i]}`).join(', ');
    const what = `${where}${sizes && ` with ${sizes}`}`;
    if (!program) throw new Error(`${what}: nothing was compiled for this`);
    let made = this.#made.get(program);
    if (!made) this.#made.set(program, (made = new Map()));
    const key = dims.join();
    const known = made.get(key);
    if (!known) checkCounts(what, program, dims);
    const recording = known ?? new Recording(program, dims);
    if (recording.epoch !== this.#layout.epoch) this.#place(what, recording);
    made.delete(key);
    made.set(key, recording);
    if (made.size > kept) made.delete(made.keys().next().value!);
    return recording;
  }

  #place(what: string, recording: Recording): void {
    const { program, arenaBytes, constantBytes, bytes } = recording;
    const layout = this.#layout;
    const before = this.#constants.get(program);
    const scratch = this.#threads * roundUp(program.scratchBytes, 64);
    const larger = constantBytes > (before?.bytes ?? 0);
    const end = this.#constantsEnd + (larger ? roundUp(constantBytes + 64, 256) : 0);
    layout.grow({ constants: end, scratch, arena: arenaBytes }, what);
    if (larger) {
      this.#constants.set(program, {
        at: layout.constants + this.#constantsEnd,
        bytes: constantBytes,
        made: '',
      });
      this.#constantsEnd = end;
      if (before) layout.epoch++;
    }
    if (this.#renewed() + bytes > layout.capacity.tables) {
      const all = [...this.#made.values()].flatMap(made => [...made.values()]);
      const live = all.reduce((sum, r) => sum + (r === recording ? 0 : r.bytes), bytes);
      // Twice what is live: the half that is free takes new ones before all are written again.
      layout.grow({ tables: roundUp(2 * live, 4096) }, what);
      layout.epoch++;
      this.#renewed();
    }
    const constants = this.#constants.get(program)?.at ?? 0;
    recording.write(layout, layout.tables + this.#used, constants, this.#threads);
    this.#used += bytes;
  }

  /** Bytes of tables in use: none where everything has moved. */
  #renewed(): number {
    if (this.#epoch !== this.#layout.epoch) this.#used = 0;
    this.#epoch = this.#layout.epoch;
    return this.#used;
  }
}
