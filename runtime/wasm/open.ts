import { type FillOptions, fetchWeights, fill } from '../fill.ts';
import { compileModule } from './compile.ts';
import type { WasmModel } from './plan.ts';
import { threadsFor } from './pool.ts';
import { Session } from './session.ts';

export interface OpenOptions extends FillOptions {
  /**
   * At most so many threads, the caller's among them: results do not depend on it. As many as there are cores, up to 8,
   * if absent; 1 in pages without `crossOriginIsolated`.
   */
  readonly threads?: number;
}

/**
 * Makes a model ready to run. Parameters come from `weights`; what they leave open comes from the program `init` if
 * the model has one. Throws an Error where the module or the weights do not suit.
 */
export async function open(model: WasmModel, options: OpenOptions = {}): Promise<Session> {
  const [module, weights] = await Promise.all([compileModule(model), fetchWeights(options.weights)]);
  const session = new Session(model, module, {
    seed: options.seed ?? 0,
    threads: threadsFor(options.threads),
  });
  try {
    await fill(session, model.programs.init?.[0]?.inputs, weights, options);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}
