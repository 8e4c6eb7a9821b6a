import type { DType, Model, Program } from './plan.ts';
import type { LoadOptions, SaveOptions, Weights } from './state.ts';
import type { TensorInput, TensorValue, TypedArray } from './tensor.ts';

/** The typed array that holds values of a dtype on the host. */
export type ArrayOf<D extends DType> = {
  f32: Float32Array;
  f16: Uint16Array;
  i32: Int32Array;
  u32: Uint32Array;
  u8: Uint8Array | Uint8ClampedArray;
  bool: Uint8Array;
}[D];

/** What a net takes: `{ data, shape }`, or the values alone where their count tells the shape. */
export type Input<D extends DType, S extends readonly number[]> =
  | ArrayOf<D>
  | { readonly data: ArrayOf<D>; readonly shape: Readonly<S> };

/** What it gives, row-major, in an array of its own. */
export interface Output<D extends DType, S extends readonly number[]> extends TensorValue {
  readonly dtype: D;
  readonly shape: Readonly<S>;
  readonly data: ArrayOf<D>;
}

/** What runs programs: a session of the GPU or of WebAssembly. */
export interface Runner {
  readonly model: Pick<Model, 'name' | 'state'>;
  /** Undefined in WebAssembly. */
  readonly device: GPUDevice | undefined;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  run(
    name: string,
    inputs: Readonly<Record<string, TensorInput>>,
    scalars?: Readonly<Record<string, number>>,
  ): Promise<Record<string, TensorValue>>;
  prepare(name: string, dims?: Readonly<Record<string, number>>): Promise<void>;
  save(options?: SaveOptions): Promise<Uint8Array<ArrayBuffer>>;
  load(weights: Weights, options?: LoadOptions): Promise<void>;
  read(name: string): Promise<TensorValue>;
  write(name: string, data: TypedArray | TensorValue): Promise<void>;
  dispose(): void;
}

/** What of a program, and of a model, its callers see. */
export type Signature = Pick<Program, 'inputs' | 'outputs' | 'scalars'>;

export interface Interface {
  readonly programs: Readonly<Record<string, Signature>>;
  readonly steps?: Model['steps'];
}

/** What nets and training programs have in common. */
export interface Loaded<S extends Runner = Runner> {
  readonly device: S['device'];
  /** Resolves when the device is gone. */
  readonly lost: S['lost'];
  /** For single tensors and for preparing ahead. */
  readonly session: S;
  /** Parameters and state as a safetensors file. */
  save(options?: SaveOptions): Promise<Uint8Array<ArrayBuffer>>;
  load(weights: Weights, options?: LoadOptions): Promise<void>;
  /** Gives back the memory, and the device if it was made for this. */
  dispose(): void;
}

export interface LoadedNet<S extends Runner = Runner> extends Loaded<S> {}

export interface LoadedTrainer<S extends Runner = Runner> extends Loaded<S> {
  /** Steps done, which is also the `iter` and the random stream of the next one; set it to resume a training. */
  steps: number;
}

export interface StepOptions {
  /** What learning-rate schedules call `epoch`; 0 if absent. */
  readonly epoch?: number;
}

/** One input is passed as it is, several by name. */
type Inputs = TensorInput | Readonly<Record<string, TensorInput>>;
/** One result comes as it is, several by name. */
type Results = TensorValue | Record<string, TensorValue>;
type Batch = Readonly<Record<string, TensorInput>>;
type Metrics = Record<string, number | TensorValue>;

/** A net: `predict(x)`, or `predict({ a, b })` where it has several inputs. */
export interface Net<S extends Runner = Runner> extends LoadedNet<S> {
  predict(inputs: Inputs): Promise<Results>;
}

/** A training program with its nets on the same parameters. */
export interface Trainer<S extends Runner = Runner> extends LoadedTrainer<S> {
  /** Counts when it is called, so that steps may be queued without waiting for each. */
  step(batch: Batch, options?: StepOptions): Promise<Metrics>;
  /** Takes the same batches as `step`, whether or not the metrics need all of their parts. Changes nothing. */
  evaluate(batch: Batch, options?: StepOptions): Promise<Metrics>;
  readonly nets: Readonly<Record<string, { predict(inputs: Inputs): Promise<Results> }>>;
}

export function netOf<S extends Runner>(session: S, { programs }: Interface): Net<S> {
  return { ...loaded(session), predict: predictor(session, 'predict', programs.predict!) };
}

export function trainerOf<S extends Runner>(
  session: S,
  { programs, steps = [['step', 1]] }: Interface,
): Trainer<S> {
  const nets = Object.entries(programs)
    .filter(([name]) => name.startsWith('net:'))
    .map(([name, net]) => [name.slice('net:'.length), { predict: predictor(session, name, net) }] as const);
  // A batch holds what some step takes; each program is given what it takes itself.
  const known = new Set(steps.flatMap(([name]) => programs[name]!.inputs.map(t => t.name)));
  const run = async (name: string, batch: Batch, at: number, epoch = 0): Promise<Metrics> => {
    const program = programs[name]!;
    const needless = (key: string): boolean => known.has(key) && !program.inputs.some(t => t.name === key);
    const needed = Object.fromEntries(Object.entries(batch).filter(([key]) => !needless(key)));
    return numbers(await session.run(name, needed, scalars(program, at, epoch)));
  };
  const trainer: Trainer<S> = {
    ...loaded(session),
    nets: Object.fromEntries(nets),
    steps: 0,
    async step(batch, { epoch } = {}) {
      const at = trainer.steps++;
      const due = steps.filter(([, every]) => at % every === 0);
      const metrics = await Promise.all(due.map(([name]) => run(name, batch, at, epoch)));
      return Object.fromEntries(metrics.flatMap(m => Object.entries(m)));
    },
    evaluate: (batch, { epoch } = {}) => run('evaluate', batch, trainer.steps, epoch),
  };
  return trainer;
}

/** Those that the program wants: a free dim of it may have the name of one that it does not. */
function scalars(program: Signature, step: number, epoch: number): Record<string, number> {
  const wanted = program.scalars.map(s => s.name);
  return Object.fromEntries(
    Object.entries({ step, iter: step, epoch }).filter(([name]) => wanted.includes(name)),
  );
}

function loaded<S extends Runner>(session: S): Loaded<S> {
  return {
    session,
    device: session.device,
    lost: session.lost,
    save: options => session.save(options),
    load: (weights, options) => session.load(weights, options),
    dispose: () => session.dispose(),
  };
}

function predictor(session: Runner, name: string, program: Signature): (inputs: Inputs) => Promise<Results> {
  const { inputs: wanted, outputs } = program;
  return async inputs => {
    const named = wanted.length === 1 ? { [wanted[0]!.name]: inputs } : (inputs ?? {});
    const results = await session.run(name, named as Batch, scalars(program, 0, 0));
    return outputs.length === 1 ? results[outputs[0]!.name]! : results;
  };
}

function numbers(outputs: Record<string, TensorValue>): Metrics {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [
      name,
      value.shape.length === 0 ? Number(value.data[0]) : value,
    ]),
  );
}
