import type { StateTensor, Tensor } from './plan.ts';
import { type LoadOptions, parse, type Weights } from './state.ts';
import type { TensorInput } from './tensor.ts';

/** Where a model's parameters and state come from when it is opened. */
export interface FillOptions extends LoadOptions {
  /** What `load` takes, or an address to fetch it from. */
  readonly weights?: Weights | string | URL;
  /** A batch of a training program whose first values are made from data (`param image = content`). */
  readonly feed?: Readonly<Record<string, TensorInput>>;
  /** The scalar `seed` of every run that is not given one; 0 if absent. */
  readonly seed?: number;
}

/** Weights, fetched where they are an address. */
export async function fetchWeights(weights: FillOptions['weights']): Promise<Weights | undefined> {
  if (!(typeof weights === 'string' || weights instanceof URL)) return weights;
  const response = await fetch(weights);
  if (!response.ok) throw new Error(`${weights}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/**
 * Gives a session its first values: from weights, and what they leave open from the program `init`, whose inputs are
 * given if the model has one.
 */
export async function fill(
  session: {
    readonly model: { readonly state: readonly StateTensor[] };
    run(name: string, inputs: Readonly<Record<string, TensorInput>>, scalars: { step: number }): unknown;
    load(weights: Weights, options: LoadOptions): unknown;
  },
  inputs: readonly Tensor[] | undefined,
  weights: Weights | undefined,
  { feed = {}, partial, extra }: FillOptions,
): Promise<void> {
  const { state } = session.model;
  const given = weights && parse(weights);
  const isGiven = ({ name }: StateTensor) => given && Object.hasOwn(given, name);
  const fed = inputs?.map(({ name }) => [name, feed[name]!] as const);
  // Without what it is made from, the state stays empty until weights are loaded.
  if (fed?.every(([, data]) => data) && !state.every(isGiven)) {
    await session.run('init', Object.fromEntries(fed), { step: 0 });
    // A file of parameters alone starts a training program: the rest keeps what `init` gave it.
    partial ||= state.every(t => t.role !== 'param' || isGiven(t));
  }
  if (given) await session.load(given, { partial, extra });
}
