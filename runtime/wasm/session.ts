import { match } from '../match.ts';
import type { StateTensor } from '../plan.ts';
import { arrange, type LoadOptions, type SaveOptions, type Weights } from '../state.ts';
import { count, decode, type TensorInput, type TensorValue, type TypedArray } from '../tensor.ts';
import { writeWeights } from '../weights.ts';
import { type Exports, engine, type Module } from './engine.ts';
import { Layout } from './memory.ts';
import { pause } from './pace.ts';
import type { WasmModel, WasmProgram } from './plan.ts';
import { Pool } from './pool.ts';
import type { Table } from './recording.ts';
import { Recordings } from './recordings.ts';

/**
 * A model in WebAssembly. A call has done its work when it returns, so that calls take effect in the order in which
 * they are made; what they give is awaited all the same, as from the GPU.
 */
export class Session {
  readonly model: WasmModel;
  /** There is none; sessions of the GPU have one. */
  readonly device: undefined;
  /** Nothing is ever lost here: it never resolves. */
  readonly lost: Promise<{ readonly reason: string; readonly message: string }> = new Promise(() => {});
  readonly #seed: number;
  readonly #pool: Pool;
  #layout: Layout;
  #exports: Exports;
  #recordings: Recordings;
  /** Changes with every change of parameters or state. */
  #version = 0;
  #filled: boolean;
  #end: Error | undefined;

  /** Use `open`. `threads`: at most so many, the caller's among them. */
  constructor(model: WasmModel, module: Module, { seed, threads }: { seed: number; threads: number }) {
    this.model = model;
    this.#seed = seed;
    this.#filled = model.state.length === 0;
    this.#layout = new Layout(model.stateBytes, model.name);
    const { memory } = this.#layout;
    this.#exports = new engine.WebAssembly.Instance(module, { env: { memory } }).exports;
    this.#recordings = new Recordings(this.#layout, threads);
    this.#pool = new Pool(module, memory, threads);
  }

  /** How many threads work at present, the caller's among them: those of the pool join when they have started. */
  get threads(): number {
    return this.#pool.threads;
  }

  /**
   * Runs a program. Inputs by name, either `{ data, shape }` or the array alone where its length tells the shape.
   * Resolves with the outputs by name, in fresh arrays. Throws an Error with a line for each argument that does not
   * fit, or `BufferError`.
   */
  async run(
    name: string,
    inputs: Readonly<Record<string, TensorInput>>,
    scalars: Readonly<Record<string, number>> = {},
  ): Promise<Record<string, TensorValue>> {
    this.#check();
    const programs = this.#programs(name);
    const where = `${this.model.name}.${name}`;
    if (!this.#filled && name !== 'init') {
      const fed = this.model.programs.init?.[0]?.inputs.map(t => t.name).join();
      throw new Error(
        `${where}: no weights yet; open with them${fed ? ` or feed ${fed}` : ''}, or load them`,
      );
    }
    const args = match(where, programs[0]!, inputs, { seed: this.#seed, ...scalars });
    const recording = this.#recordings.get(where, programs, args.dims);
    const { program, uniforms, prologue, main } = recording;
    const { bytes, words, arena } = this.#layout;
    for (const [i, input] of args.inputs.entries()) bytes.set(input, arena + recording.inputs[i]!);
    words.set(args.words, uniforms / 4);
    const constants = this.#recordings.constants(program);
    // Where constants have one size for all dims, they are the same for all.
    const of = `${this.#version} ${typeof program.constantBytes === 'number' ? '' : args.dims}`;
    if (constants && constants.made !== of) {
      this.#drive(where, prologue);
      constants.made = of;
    }
    this.#drive(where, main);
    this.#filled = true;
    if (program.writes) this.#version++;
    const results = recording.outputs.map(({ name, shape, offset }, i) => {
      const { dtype } = program.outputs[i]!;
      return [
        name,
        { dtype, shape, data: decode(dtype, bytes.buffer, arena + offset, count(shape)) },
      ] as const;
    });
    await pause();
    return Object.fromEntries(results);
  }

  /** Waits for the threads; with the free dims given, makes the memory of a program's runs ready too. */
  async prepare(name: string, dims?: Readonly<Record<string, number>>): Promise<void> {
    this.#check();
    const programs = this.#programs(name);
    const where = `${this.model.name}.${name}`;
    if (dims)
      this.#recordings.get(
        where,
        programs,
        programs[0]!.dims.map(d => dims[d] ?? 1),
      );
    await this.#pool.wait();
  }

  /** Replaces parameters and state. Throws an Error listing every missing, unknown and misshapen tensor. */
  async load(weights: Weights, options?: LoadOptions): Promise<void> {
    this.#check();
    const { bytes, state } = this.#layout;
    for (const [offset, value] of arrange(this.model, weights, options)) bytes.set(value, state + offset);
    this.#version++;
    this.#filled = true;
  }

  /** Parameters and state as a safetensors file; `roles: ['param']` leaves the state out. */
  async save({ roles = ['param', 'state'], metadata }: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return writeWeights(
      this.#read(t => roles.includes(t.role)),
      metadata,
    );
  }

  /** One parameter or state. */
  async read(name: string): Promise<TensorValue> {
    const value = this.#read(t => t.name === name)[name];
    if (!value) throw new Error(`${this.model.name}: no tensor ${name}`);
    return value;
  }

  /** Replaces one parameter or state. */
  async write(name: string, data: TypedArray | TensorValue): Promise<void> {
    await this.load({ [name]: data }, { partial: true });
  }

  /** Gives back the memory and ends the threads. Later calls reject. */
  dispose(): void {
    this.#stop(new Error(`${this.model.name}: the session is disposed`));
  }

  #check(): void {
    if (this.#end) throw this.#end;
  }

  #stop(error: Error): void {
    if (this.#end) return;
    this.#end = error;
    this.#pool.end();
    // A session that is kept does not keep its memory.
    this.#layout = this.#exports = this.#recordings = undefined as never;
  }

  #programs(name: string): readonly WasmProgram[] {
    const { programs, name: model } = this.model;
    if (!Object.hasOwn(programs, name)) {
      throw new Error(`${model}: no program ${name}; there are ${Object.keys(programs).join(', ')}`);
    }
    return programs[name]!;
  }

  #read(filter: (tensor: StateTensor) => boolean): Record<string, TensorValue> {
    this.#check();
    const { bytes, state } = this.#layout;
    return Object.fromEntries(
      this.model.state.filter(filter).map(({ name, dtype, shape, offset }) => {
        const data = decode(dtype, bytes.buffer, state + offset, count(shape));
        return [name, { dtype, shape, data }];
      }),
    );
  }

  #drive(where: string, table: Table | undefined): void {
    if (!table) return;
    const threads = table.parallel ? this.#pool.threads : 1;
    try {
      if (threads > 1) this.#exports.start(table.at);
      this.#exports.run(0, threads, table.at);
    } catch (error) {
      // The other threads wait for this one, and nobody knows what was written.
      this.#stop(new Error(`${where}: ${(error as Error).message}`, { cause: error }));
      throw this.#end;
    }
  }
}
