import {
  type Model,
  openTrainer,
  type Trainer as RuntimeTrainer,
  readWeights,
} from '../../../runtime/index.ts';
import { onDevice } from '../errors.ts';
import type { Tensors } from '../tensors.ts';
import type { Batch, Metrics, Trainer } from './trainer.ts';

/** Trains on a WebGPU device, which stays the caller's. */
export class DeviceTrainer implements Trainer {
  readonly #trainer: RuntimeTrainer;
  readonly #model: Model;

  static async open(model: Model, device: GPUDevice, seed: number): Promise<DeviceTrainer> {
    return new DeviceTrainer(await onDevice(() => openTrainer(model, { device, seed })), model);
  }

  constructor(trainer: RuntimeTrainer, model: Model) {
    this.#trainer = trainer;
    this.#model = model;
  }

  step(batch: Batch, epoch: number): Promise<Metrics> {
    return onDevice(async () => plain(await this.#trainer.step(this.#used('step', batch), { epoch })));
  }

  evaluate(batch: Batch, epoch: number): Promise<Metrics> {
    return onDevice(async () =>
      plain(await this.#trainer.evaluate(this.#used('evaluate', batch), { epoch })),
    );
  }

  async save(): Promise<Tensors> {
    return new Map(Object.entries(readWeights(await onDevice(() => this.#trainer.save()))));
  }

  load(weights: Tensors): Promise<void> {
    return onDevice(() => this.#trainer.load(Object.fromEntries(weights), { partial: true, extra: true }));
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  /** Data that no kernel of the program reads are not among its inputs. */
  #used(program: 'step' | 'evaluate', batch: Batch): Batch {
    const names = this.#model.programs[program]!.inputs.map(t => t.name);
    return Object.fromEntries(names.map(name => [name, batch[name]!]));
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
