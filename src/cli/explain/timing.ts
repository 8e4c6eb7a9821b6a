import { type Model, open, type Session } from '../../../runtime/index.ts';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { ndarray, size } from '../../ir/ndarray.ts';
import type { Plan } from '../../ir/plan.ts';
import { onDevice } from '../errors.ts';
import { fromArray } from '../tensors.ts';

/** Runs in one measurement, submitted together as a training does, and measurements of which the median is taken. */
const runs = 4;
const rounds = 5;

/**
 * Milliseconds of one run of each program of a model, by name, inputs and results included. Inputs are zeros, which
 * every dtype and label has.
 */
export function timePrograms(
  model: Model,
  programs: readonly { readonly name: string; readonly plan: Plan; readonly dims: DimEnv }[],
  device: GPUDevice,
): Promise<Map<string, number>> {
  return onDevice(async () => {
    const session = await open(model, { device });
    try {
      const times = new Map<string, number>();
      for (const { name, plan, dims } of programs) times.set(name, await timeOf(session, name, plan, dims));
      return times;
    } finally {
      session.dispose();
    }
  });
}

async function timeOf(session: Session, name: string, plan: Plan, dims: DimEnv): Promise<number> {
  const inputs = Object.fromEntries(
    plan.inputs.map(({ name: input, type }) => {
      const shape = type.shape.map(d => D.evaluate(d, dims));
      return [input, fromArray(ndarray(type.dtype, shape, new Float64Array(size(shape))))];
    }),
  );
  const scalars = Object.fromEntries(plan.scalars.map(s => [s.name, 0]));
  const run = (): Promise<unknown> => session.run(name, inputs, scalars);
  await run();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await Promise.all(Array.from({ length: runs }, run));
    times.push((performance.now() - began) / runs);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}
