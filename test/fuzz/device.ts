import type { TensorInput } from '../../runtime/index.ts';
import type { Backend } from '../../src/cli/backend.ts';
import type { Compiled } from '../../src/compile.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { fromHost, toHost } from '../gpu/single-op.ts';
import { type Arrays, key, type Scenario } from './check.ts';

/** What a scenario gives where kernels run, through the runtime as an app uses it; first values are those of the host. */
export async function onDevice(
  backend: Backend,
  { entries, compiled }: Required<Compiled>,
  { module, weights, data }: Scenario,
): Promise<Arrays> {
  const found: Record<string, NdArray> = {};
  const train = module.trains[0];
  for (const name of train ? [train.name] : module.nets.map(n => n.name)) {
    const entry = entries.find(e => e.name === name)!;
    const { session: first, model } = await backend.open(entry, compiled.layout, () => ({ seed: key }));
    const state = model.state.map(s => s.name);
    for (const s of state) found[`init ${s}`] = fromHost(await first.read(s));
    first.dispose();
    const given = state.map(s => [s, { ...toHost(weights[s]!), dtype: weights[s]!.dtype }] as const);
    const options = { seed: key, weights: Object.fromEntries(given) };
    const { session } = await backend.open(entry, compiled.layout, () => options);
    const run = async (program: string, step: number, prefix: string): Promise<void> => {
      const wanted = model.programs[program]![0]!.inputs.map(t => t.name);
      const inputs = Object.fromEntries(
        Object.entries(data[step]!)
          .filter(([n]) => wanted.includes(n))
          .map(([n, x]): [string, TensorInput] => [n, toHost(x)]),
      );
      const result = await session.run(program, inputs, { epoch: 0, iter: step, step });
      for (const [n, x] of Object.entries(result)) found[`${prefix}${n}`] = fromHost(x);
    };
    try {
      if (train) {
        await run('evaluate', 0, 'evaluate ');
        for (const step of data.keys())
          for (const s of train.steps.filter(x => step % x.every === 0))
            await run(s.name, step, `step ${step} `);
        for (const s of state) found[`after ${s}`] = fromHost(await session.read(s));
      } else await run('predict', 0, '');
    } finally {
      session.dispose();
    }
  }
  return found;
}
