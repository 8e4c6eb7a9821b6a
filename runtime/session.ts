import { createBuffer, Staging, usage } from './buffers.ts';
import { onLost } from './device.ts';
import { DeviceLostError } from './errors.ts';
import { match } from './match.ts';
import { Pipelines } from './pipelines.ts';
import type { Model, Program, StateTensor } from './plan.ts';
import { Recording, type Region, regions } from './recording.ts';
import { arrange, type LoadOptions, type SaveOptions, type Weights } from './state.ts';
import type { TensorInput, TensorValue, TypedArray } from './tensor.ts';
import { count, decode, roundUp } from './tensor.ts';
import { writeWeights } from './weights.ts';

/** What `open` makes for a session. */
export interface Resources {
  readonly owned: boolean;
  readonly state: GPUBuffer;
  readonly seed: number;
  readonly wait: ((done: Promise<unknown>) => void) | undefined;
}

/** What a program has for itself. */
interface Own {
  readonly uniform: GPUBuffer;
  words?: Uint32Array<ArrayBuffer>;
  /** What its prologue makes, and of which version of the parameters. */
  constants?: GPUBuffer;
  made?: number;
}

/**
 * A model on a device. Calls take effect in the order in which they are made, whether or not earlier ones were
 * awaited, and read their arguments before they return.
 */
export class Session {
  readonly model: Model;
  readonly device: GPUDevice;
  /** Resolves when the device is gone, by `dispose` too if the session made it; never after `dispose` otherwise. */
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly #resources: Resources;
  readonly #pipelines: Pipelines;
  readonly #staging: Staging;
  readonly #own = new Map<Program, Own>();
  readonly #recordings = new Map<Program, Map<string, Recording>>();
  readonly #pending = new Set<(error: Error) => void>();
  #forget!: () => void;
  #arena: GPUBuffer | undefined;
  #filled: boolean;
  /** Changes with every change of parameters or state. */
  #version = 0;
  #end: Error | undefined;
  #tail: Promise<unknown> | undefined;

  /** Use `open`. */
  constructor(model: Model, device: GPUDevice, resources: Resources) {
    this.model = model;
    this.device = device;
    this.#resources = resources;
    this.#pipelines = new Pipelines(device);
    this.#staging = new Staging(device);
    this.#filled = model.state.length === 0;
    this.lost = new Promise(resolve => {
      this.#forget = onLost(device, ({ reason, message }) => {
        this.#stop(new DeviceLostError(reason, message));
        resolve({ reason, message });
      });
    });
  }

  /**
   * Runs a program. Inputs by name, either `{ data, shape }` or the array alone where its length tells the shape.
   * Resolves with the outputs by name, in fresh arrays. Throws an Error with a line for each argument that does not
   * fit, `KernelError`, or `DeviceLostError`.
   */
  async run(
    name: string,
    inputs: Readonly<Record<string, TensorInput>>,
    scalars: Readonly<Record<string, number>> = {},
  ): Promise<Record<string, TensorValue>> {
    this.#check();
    const program = this.#program(name);
    const where = `${this.model.name}.${name}`;
    if (!this.#filled && name !== 'init') {
      const fed = this.model.programs.init?.inputs.map(t => t.name).join();
      throw new Error(
        `${where}: no weights yet; open with them${fed ? ` or feed ${fed}` : ''}, or load them`,
      );
    }
    const args = match(where, program, inputs, { seed: this.#resources.seed, ...scalars });
    const recording = this.#recording(program, args.dims);
    let values = args.inputs;
    const ready = this.#tail === undefined && recording.isBoundTo(this.#arena);
    // The caller may change its arrays as soon as this function waits.
    if (!ready) values = values.map(v => v.slice());
    const { proven } = recording;
    let error: Promise<GPUError | null> | undefined;
    const staging = await this.#inOrder(ready ? undefined : () => this.#ready(name, recording), () => {
      if (!proven) this.device.pushErrorScope('validation');
      try {
        this.#filled = true;
        return this.#submit(recording, values, args.words);
      } finally {
        if (!proven) error = this.device.popErrorScope();
      }
    });
    const outputs = staging
      ? this.#fetch(staging, recording.outputs, recording.outputBytes)
      : this.device.queue.onSubmittedWorkDone().then(() => valuesIn(empty, recording.outputs));
    const [result, invalid] = await this.#guard(Promise.all([outputs, error]));
    if (invalid) throw new Error(`${where}: ${invalid.message}`);
    recording.proven = true;
    return result;
  }

  /** Compiles a program's kernels ahead of its first run; with the free dims given, its buffers too. */
  async prepare(name: string, dims?: Readonly<Record<string, number>>): Promise<void> {
    this.#check();
    const program = this.#program(name);
    if (!dims) await this.#guard(this.#pipelines.get(program.kernels));
    else {
      const recording = this.#recording(
        program,
        program.dims.map(d => dims[d] ?? 1),
      );
      await this.#inOrder(
        () => this.#ready(name, recording),
        () => {},
      );
    }
  }

  /** Replaces parameters and state. Throws an Error listing every missing, unknown and misshapen tensor. */
  async load(weights: Weights, options?: LoadOptions): Promise<void> {
    this.#check();
    const writes = arrange(this.model, weights, options);
    // Copied only where they have to wait.
    if (this.#tail) for (const write of writes) write[1] = write[1].slice();
    await this.#inOrder(undefined, () => {
      for (const [offset, bytes] of writes)
        this.device.queue.writeBuffer(this.#resources.state, offset, bytes);
      this.#version++;
      this.#filled = true;
    });
  }

  /** Parameters and state as a safetensors file; `roles: ['param']` leaves the state out. */
  async save({ roles = ['param', 'state'], metadata }: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return writeWeights(await this.#readState(t => roles.includes(t.role)), metadata);
  }

  /** One parameter or state. */
  async read(name: string): Promise<TensorValue> {
    const value = (await this.#readState(t => t.name === name))[name];
    if (!value) throw new Error(`${this.model.name}: no tensor ${name}`);
    return value;
  }

  /** Replaces one parameter or state. */
  async write(name: string, data: TypedArray | TensorValue): Promise<void> {
    await this.load({ [name]: data }, { partial: true });
  }

  /** Gives back the session's buffers, and its device if the session made it. Pending and later calls reject. */
  dispose(): void {
    this.#stop(new Error(`${this.model.name}: the session is disposed`));
    this.#staging.destroy();
    this.#arena?.destroy();
    this.#resources.state.destroy();
    for (const { uniform, constants } of this.#own.values()) {
      uniform.destroy();
      constants?.destroy();
    }
    if (this.#resources.owned) this.device.destroy();
    else this.#forget();
  }

  #check(): void {
    if (this.#end) throw this.#end;
  }

  #stop(error: Error): void {
    this.#end ??= error;
    for (const reject of this.#pending) reject(this.#end);
    this.#pending.clear();
  }

  #program(name: string): Program {
    const { programs, name: model } = this.model;
    if (!Object.hasOwn(programs, name)) {
      throw new Error(`${model}: no program ${name}; there are ${Object.keys(programs).join(', ')}`);
    }
    return programs[name]!;
  }

  /** The sizes of the 16 last used sets of free dims are kept. */
  #recording(program: Program, dims: readonly number[]): Recording {
    let made = this.#recordings.get(program);
    if (!made) this.#recordings.set(program, (made = new Map()));
    const key = dims.join();
    const recording = made.get(key) ?? new Recording(program, dims);
    made.delete(key);
    made.set(key, recording);
    if (made.size > 16) made.delete(made.keys().next().value!);
    return recording;
  }

  /** Runs `act` at once where nothing waits before it, else in its turn, after `prepare`. */
  async #inOrder<T>(prepare: (() => Promise<void>) | undefined, act: () => T): Promise<T> {
    if (!this.#tail && !prepare) return act();
    const turn = (async () => {
      await this.#tail;
      if (prepare) await this.#guard(prepare());
      this.#check();
      return act();
    })();
    const tail = turn.then(
      () => {},
      () => {},
    );
    this.#tail = tail;
    tail.then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    return turn;
  }

  /** Pipelines, an arena that is large enough, and bind groups into it. */
  async #ready(name: string, recording: Recording): Promise<void> {
    if (recording.isBoundTo(this.#arena)) return;
    const { program, dims, arenaBytes } = recording;
    const { device } = this;
    const sizes = program.dims.map((d, i) => `${d} = ${dims[i]}`).join(', ');
    const what = `${this.model.name}.${name}${sizes && ` with ${sizes}`}`;
    recording.check(device, what, this.model.state);
    const pipelines = this.#pipelines.get(program.kernels);
    // Handled even where the arena fails first.
    pipelines.catch(() => {});
    let own = this.#own.get(program);
    if (!own) {
      const words = Math.max(4, program.dims.length + program.scalars.length);
      const flags = usage.uniform | usage.target;
      const uniform = await createBuffer(device, roundUp(words * 4, 16), flags, what);
      this.#own.set(program, (own = { uniform: this.#keep(uniform) }));
    }
    if (program.constantBytes)
      own.constants ??= this.#keep(await createBuffer(device, program.constantBytes, usage.storage, what));
    if (!this.#arena || this.#arena.size < arenaBytes) {
      const flags = usage.storage | usage.source | usage.target;
      // The old one goes first (when the work before is done), so that both are never needed at once.
      this.#arena?.destroy();
      this.#arena = undefined;
      this.#arena = this.#keep(
        await createBuffer(device, Math.max(256, roundUp(arenaBytes, 256)), flags, what),
      );
    }
    const buffers = [this.#resources.state, this.#arena, own.constants];
    await recording.bind(device, what, await pipelines, buffers, own.uniform);
  }

  /** A buffer that came after `dispose` goes at once. */
  #keep(buffer: GPUBuffer): GPUBuffer {
    if (this.#end) buffer.destroy();
    this.#check();
    return buffer;
  }

  /** Writes arguments, runs every dispatch in one pass, copies outputs to the staging buffer that is returned. */
  #submit(
    recording: Recording,
    values: readonly Uint8Array<ArrayBuffer>[],
    words: Uint32Array<ArrayBuffer>,
  ): GPUBuffer | undefined {
    const { queue } = this.device;
    const arena = this.#arena!;
    values.forEach((bytes, i) => {
      if (bytes.length > 0) queue.writeBuffer(arena, recording.inputs[i]!, bytes);
    });
    const { program, proven } = recording;
    const own = this.#own.get(program)!;
    if (!own.words?.every((w, i) => w === words[i])) {
      queue.writeBuffer(own.uniform, 0, words);
      own.words = words;
    }
    const encoder = this.device.createCommandEncoder();
    // A first run may be refused, and then has made nothing.
    recording.encode(encoder, !proven || own.made !== this.#version);
    own.made = this.#version;
    if (program.writes) this.#version++;
    return this.#copy(encoder, arena, recording.outputs, recording.outputBytes);
  }

  #copy(
    encoder: GPUCommandEncoder,
    from: GPUBuffer,
    parts: readonly Region[],
    bytes: number,
  ): GPUBuffer | undefined {
    const staging = bytes > 0 ? this.#staging.take(bytes) : undefined;
    for (const { offset, at, bytes } of parts) {
      if (bytes > 0) encoder.copyBufferToBuffer(from, offset, staging!, at, bytes);
    }
    this.device.queue.submit([encoder.finish()]);
    return staging;
  }

  async #fetch(
    staging: GPUBuffer,
    parts: readonly Region[],
    bytes: number,
  ): Promise<Record<string, TensorValue>> {
    try {
      // Mapping a destroyed buffer would be an error of the caller's device too.
      this.#check();
      await staging.mapAsync(0x1, 0, bytes);
      const mapped = staging.getMappedRange(0, bytes);
      const tensors = valuesIn(mapped, parts);
      staging.unmap();
      this.#staging.give(staging);
      return tensors;
    } catch (error) {
      this.#staging.drop(staging);
      throw error;
    }
  }

  async #readState(filter: (tensor: StateTensor) => boolean): Promise<Record<string, TensorValue>> {
    this.#check();
    const { regions: parts, bytes } = regions(this.model.state.filter(filter));
    const staging = await this.#inOrder(undefined, () =>
      this.#copy(this.device.createCommandEncoder(), this.#resources.state, parts, bytes),
    );
    return staging ? this.#guard(this.#fetch(staging, parts, bytes)) : valuesIn(empty, parts);
  }

  /** Waits for the device's work, but not beyond the end of session or device, which rejects as what it is. */
  #guard<T>(work: Promise<T>): Promise<T> {
    const guarded = new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      const done = () => this.#pending.delete(reject);
      work.then(
        value => {
          done();
          resolve(value);
        },
        async error => {
          // A lost device fails its work first and says why after.
          if (error?.name === 'AbortError' || error?.name === 'OperationError') {
            await Promise.race([this.lost, new Promise(later => setTimeout(later, 50))]);
          }
          done();
          reject(this.#end ?? error);
        },
      );
    });
    this.#resources.wait?.(guarded);
    return guarded;
  }
}

/** What there is to read where all tensors are empty. */
const empty = new ArrayBuffer(0);

function valuesIn(bytes: ArrayBuffer, parts: readonly Region[]): Record<string, TensorValue> {
  return Object.fromEntries(
    parts.map(({ name, dtype, shape, at }) => [
      name,
      { dtype, shape, data: decode(dtype, bytes, at, count(shape)) },
    ]),
  );
}
