import { createBuffer, usage } from './buffers.ts';
import { acquire } from './device.ts';
import { type FillOptions, fetchWeights, fill } from './fill.ts';
import type { Model } from './plan.ts';
import { Session } from './session.ts';
import { roundUp } from './tensor.ts';

export interface OpenOptions extends FillOptions {
  /** Stays the caller's: never destroyed or reconfigured. Without it, one is asked of `navigator.gpu`. */
  readonly device?: GPUDevice;
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
  const [{ device, owned }, weights] = await Promise.all([
    acquire(model, options.device),
    fetchWeights(options.weights),
  ]);
  let session: Session | undefined;
  try {
    const bytes = Math.max(256, roundUp(model.stateBytes, 256));
    const flags = usage.storage | usage.source | usage.target;
    const state = await createBuffer(device, bytes, flags, `${model.name}: the parameters`);
    const wait = options.wait ?? (device as { [waitKey]?: OpenOptions['wait'] })[waitKey];
    session = new Session(model, device, { owned, state, seed: options.seed ?? 0, wait });
    await fill(session, model.programs.init?.inputs, weights, options);
    return session;
  } catch (error) {
    if (session) session.dispose();
    else if (owned) device.destroy();
    throw error;
  }
}
