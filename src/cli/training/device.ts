import type { FillOptions } from '../../../runtime/fill.ts';
import { BufferError, convertFloats, readWeights } from '../../../runtime/index.ts';
import { type Trainer as RuntimeTrainer, trainerOf } from '../../../runtime/loaded.ts';
import type { ModuleEntry } from '../../codegen/entry.ts';
import type { StateLayout } from '../../ir/plan.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { outOfMemory } from '../../support/errors/training.ts';
import type { Backend, RunModel, SizedProgram } from '../backend.ts';
import { onDevice } from '../errors.ts';
import { formatBytes } from '../explain/table.ts';
import type { Tensors } from '../tensors.ts';
import { arenaBytes, type BufferLimits, excess, largestBelow } from './memory.ts';
import type { Batch, Metrics, Trainer } from './trainer.ts';

type ProgramName = 'step' | 'evaluate';

/** Free dims of a program by name, and which one counts the examples of a batch. */
export interface Sizes {
  readonly dims: Readonly<Record<string, number>>;
  readonly batchDim: string | undefined;
}

/** Trains on a WebGPU device or in WebAssembly. */
export class DeviceTrainer implements Trainer {
  readonly #trainer: RuntimeTrainer;
  readonly #model: RunModel;
  readonly #limits: BufferLimits;
  /** Of the programs whose memory was asked about. */
  readonly #sizes = new Map<ProgramName, Sizes>();

  /** The backend stays the caller's. */
  static open(
    backend: Backend,
    entry: ModuleEntry,
    layout: StateLayout,
    options: FillOptions,
  ): Promise<DeviceTrainer> {
    return onDevice(async () => {
      const { session, model, limits } = await backend.open(entry, layout, () => options);
      const first = Object.entries(model.programs).map(([name, [program]]) => [name, program!] as const);
      const { steps } = model;
      const signatures = { programs: Object.fromEntries(first), ...(steps && { steps }) };
      return new DeviceTrainer(trainerOf(session, signatures), model, limits);
    });
  }

  constructor(trainer: RuntimeTrainer, model: RunModel, limits: BufferLimits) {
    this.#trainer = trainer;
    this.#model = model;
    this.#limits = limits;
  }

  get steps(): number {
    return this.#trainer.steps;
  }

  set steps(steps: number) {
    this.#trainer.steps = steps;
  }

  /** Throws `DiagnosticError` E0501 where batches of this size are too large for the device's limits. */
  requireMemory(name: ProgramName, batch: number, sizes: Sizes): void {
    this.#sizes.set(name, sizes);
    const tooLarge = (n: number) =>
      this.#programs(name, n).flatMap(p => excess(p, this.#dims(name, p, n), this.#limits) ?? [])[0];
    const found = tooLarge(batch);
    if (!found) return;
    const fits = largestBelow(batch, n => !tooLarge(n));
    throw new DiagnosticError(
      outOfMemory(
        `${this.#describe(name, batch)} takes ${formatBytes(found.bytes)} in one buffer, ` +
          `the device allows ${formatBytes(found.most)}`,
        this.#hint(name, fits),
      ),
    );
  }

  step(batch: Batch, epoch: number): Promise<Metrics> {
    return this.#run('step', batch, used => this.#trainer.step(used, { epoch }));
  }

  evaluate(batch: Batch, epoch: number): Promise<Metrics> {
    return this.#run('evaluate', batch, used => this.#trainer.evaluate(used, { epoch }));
  }

  async save(): Promise<Tensors> {
    return new Map(Object.entries(readWeights(await onDevice(() => this.#trainer.save()))));
  }

  load(weights: Tensors): Promise<void> {
    return onDevice(() =>
      this.#trainer.load(convertFloats(Object.fromEntries(weights), this.#model), {
        partial: true,
        extra: true,
      }),
    );
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  /** Data that no kernel of the program reads are not among its inputs. */
  async #run(
    name: ProgramName,
    batch: Batch,
    work: (used: Batch) => ReturnType<RuntimeTrainer['step']>,
  ): Promise<Metrics> {
    const names = new Set(this.#programs(name, 1).flatMap(p => p.inputs.map(t => t.name)));
    const used = Object.fromEntries([...names].map(input => [input, batch[input]!]));
    return onDevice(async () => {
      try {
        return plain(await work(used));
      } catch (error) {
        if (!(error instanceof BufferError)) throw error;
        throw new DiagnosticError(outOfMemory(error.message, this.#smaller(name, used, error.bytes)));
      }
    });
  }

  /** What the device has free is unknown; half of what it refused is a fair try. */
  #smaller(name: ProgramName, batch: Batch, refused: number): string {
    const rows = Math.max(1, ...Object.values(batch).map(t => t.shape[0] ?? 1));
    const bytes = (n: number): number =>
      Math.max(...this.#programs(name, n).map(p => arenaBytes(p, this.#dims(name, p, n))));
    return this.#hint(
      name,
      largestBelow(rows, n => bytes(n) <= refused / 2),
      'may fit',
    );
  }

  #hint(name: ProgramName, batch: number, fit = 'would fit'): string {
    if (this.#sizes.get(name)?.batchDim !== undefined && batch > 0) return `--batch ${batch} ${fit}`;
    return 'not even one example fits: a smaller net, or an adapter with more memory';
  }

  #describe(name: ProgramName, batch: number): string {
    const [program] = this.#programs(name, batch);
    const values = this.#dims(name, program!, batch);
    const sizes = program!.dims.map((d, i) => `${d} = ${values[i]}`);
    return `${this.#model.name}.${name}${sizes.length === 0 ? '' : ` with ${sizes.join(', ')}`}`;
  }

  /** What a call runs with batches of this size: every `step` of the program, or the one for metrics. */
  #programs(name: ProgramName, batch: number): SizedProgram[] {
    const { programs, steps = [['step', 1]] } = this.#model;
    const names = name === 'step' ? steps.map(([step]) => step) : ['evaluate'];
    return names.map(
      program => programs[program]!.find(p => p.fits?.(...this.#dims(name, p, batch)) ?? true)!,
    );
  }

  #dims(name: ProgramName, program: SizedProgram, batch: number): number[] {
    const { dims, batchDim } = this.#sizes.get(name) ?? { dims: {}, batchDim: undefined };
    return program.dims.map(d => (d === batchDim ? batch : (dims[d] ?? 1)));
  }
}

function plain(metrics: Awaited<ReturnType<RuntimeTrainer['step']>>): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : Array.from(value.data),
    ]),
  );
}
