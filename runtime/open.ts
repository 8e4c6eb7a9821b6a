import { createBuffer, usage } from './buffers.ts';
import { acquire } from './device.ts';
import type { Model, StateTensor } from './plan.ts';
import { Session } from './session.ts';
import { type LoadOptions, parse, type Weights } from './state.ts';
import { roundUp, type TensorInput } from './tensor.ts';

export interface OpenOptions extends LoadOptions {
  /** Stays the caller's: never destroyed or reconfigured. Without it, one is asked of `navigator.gpu`. */
  readonly device?: GPUDevice;
  /** What `load` takes, or an address to fetch it from. */
  readonly weights?: Weights | string | URL;
  /** A batch of a training program whose first values are made from data (`param image = content`). */
  readonly feed?: Readonly<Record<string, TensorInput>>;
  /** The scalar `seed` of every run that is not given one; 0 if absent. */
  readonly seed?: number;
  /** Called with every promise on the device's work, for hosts that need to drive or slow the polling. */
  readonly wait?: (done: Promise<unknown>) => void;
}

/** A device from `dnnc/runtime/node` carries the `wait` that suits Dawn under this key. */
const waitKey = Symbol.for('dnnc.wait');

/**
 * Makes a model ready to run. Parameters come from `weights`; what they leave open comes from the program `init` if
 * the model has one. Throws an Error where the device or the weights do not suit.
 */
export async function open(model: Model, options: OpenOptions = {}): Promise<Session> {
  const { weights, seed = 0, extra } = options;
  let { partial } = options;
  const [{ device, owned }, loaded] = await Promise.all([
    acquire(model, options.device),
    typeof weights === 'string' || weights instanceof URL ? download(weights) : weights,
  ]);
  let session: Session | undefined;
  try {
    const bytes = Math.max(256, roundUp(model.stateBytes, 256));
    const flags = usage.storage | usage.source | usage.target;
    const state = await createBuffer(device, bytes, flags, `${model.name}: the parameters`);
    const wait = options.wait ?? (device as { [waitKey]?: OpenOptions['wait'] })[waitKey];
    session = new Session(model, device, { owned, state, seed, wait });
    const given = loaded && parse(loaded);
    const isGiven = ({ name }: StateTensor) => given && Object.hasOwn(given, name);
    const { feed = {} } = options;
    const fed = model.programs.init?.inputs.map(({ name }) => [name, feed[name]!] as const);
    // Without what it is made from, the state stays empty until weights are loaded.
    if (fed?.every(([, data]) => data) && !model.state.every(isGiven)) {
      await session.run('init', Object.fromEntries(fed), { step: 0 });
      // A file of parameters alone starts a training program: the rest keeps what `init` gave it.
      partial ||= model.state.every(t => t.role !== 'param' || isGiven(t));
    }
    if (given) await session.load(given, { partial, extra });
    return session;
  } catch (error) {
    if (session) session.dispose();
    else if (owned) device.destroy();
    throw error;
  }
}

async function download(from: string | URL): Promise<ArrayBuffer> {
  const response = await fetch(from);
  if (!response.ok) throw new Error(`${from}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
