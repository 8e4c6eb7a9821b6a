import type * as on from '../loaded.ts';
import { netOf, trainerOf } from '../loaded.ts';
import { type OpenOptions, open } from './open.ts';
import type { WasmModel } from './plan.ts';
import type { Session } from './session.ts';

export type Loaded = on.Loaded<Session>;
export type LoadedNet = on.LoadedNet<Session>;
export type LoadedTrainer = on.LoadedTrainer<Session>;
export type Trainer = on.Trainer<Session>;

/** A net: `predict(x)`, or `predict({ a, b })` where it has several inputs. Errors are those of `open`. */
export async function openNet(model: WasmModel, options?: OpenOptions): Promise<on.Net<Session>> {
  return netOf(await open(model, options), signatures(model));
}

/** A training program with its nets on the same parameters. Errors are those of `open`. */
export async function openTrainer(model: WasmModel, options?: OpenOptions): Promise<Trainer> {
  return trainerOf(await open(model, options), signatures(model));
}

/** All plans of a program take and give the same. */
const signatures = ({ programs, steps }: WasmModel): on.Interface => ({
  programs: Object.fromEntries(Object.entries(programs).map(([name, [first]]) => [name, first!])),
  ...(steps && { steps }),
});
