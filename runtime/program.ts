import type * as on from './loaded.ts';
import { netOf, trainerOf } from './loaded.ts';
import { type OpenOptions, open } from './open.ts';
import type { Model } from './plan.ts';
import type { Session } from './session.ts';

export type Loaded = on.Loaded<Session>;
export type LoadedNet = on.LoadedNet<Session>;
export type LoadedTrainer = on.LoadedTrainer<Session>;
export type Trainer = on.Trainer<Session>;

/** A net on a device: `predict(x)`, or `predict({ a, b })` where it has several inputs. Errors are those of `open`. */
export async function openNet(model: Model, options?: OpenOptions): Promise<on.Net<Session>> {
  return netOf(await open(model, options), model);
}

/** A training program on a device, with its nets on the same parameters. Errors are those of `open`. */
export async function openTrainer(model: Model, options?: OpenOptions): Promise<Trainer> {
  return trainerOf(await open(model, options), model);
}
