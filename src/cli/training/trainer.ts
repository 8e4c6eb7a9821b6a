import type { TensorValue } from '../../../runtime/index.ts';
import type { Tensors } from '../tensors.ts';

/** One batch: the program's data by name. */
export type Batch = Readonly<Record<string, TensorValue>>;

/** A metric that is no scalar comes as its elements in row-major order. */
export type Metrics = Readonly<Record<string, number | readonly number[]>>;

/** A training program somewhere: on a device, or interpreted. Calls take effect in the order in which they are made. */
export interface Trainer {
  /** Steps done, which number the random stream of the next one; set to resume a training. */
  steps: number;
  /** Updates parameters and state, and counts; may be called again before it resolves. */
  step(batch: Batch, epoch: number): Promise<Metrics>;
  /** Metrics with `training = false`; changes nothing. */
  evaluate(batch: Batch, epoch: number): Promise<Metrics>;
  /** Parameters and state, bit for bit. */
  save(): Promise<Tensors>;
  /** Replaces the tensors that are given, which are the program's and fit. */
  load(weights: Tensors): Promise<void>;
  dispose(): void;
}
