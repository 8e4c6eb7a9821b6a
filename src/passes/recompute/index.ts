import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Plan } from '../../ir/plan.ts';
import type { Program, Work } from '../../ir/program.ts';
import { freeEarly, liveBytes } from '../order/index.ts';
import { overwrite } from '../overwrite.ts';
import { type Recomputed, recompute } from './search.ts';

/** What a program became, as far as the search for one that fits must know it. */
export interface Fitted {
  readonly plan: Plan;
  /** Works that run again so that less need be kept. */
  readonly again?: readonly Work[];
}

/** What the search aims at, as shares of the limit: what aims lower may come further where another gets stuck. */
const aims = [1, 0.97, 0.93, 0.85, 0.75, 0.6, 0.4, 0];

/**
 * Lets go of results and makes them again until the arena takes at most `limit` bytes. `lower` takes a program to its
 * plan. Where no attempt fits, `tooLarge` is given the fewest bytes that one took.
 */
export function fitInto<T extends Fitted>(
  program: Program,
  sizes: DimEnv,
  limit: number,
  lower: (program: Program) => T,
  tooLarge: (bytes: number) => Error,
): T {
  const arenaOf = ({ plan }: Fitted): number => D.evaluate(plan.arenaBytes, sizes);
  const before = lower(program);
  let least = arenaOf(before);
  if (least <= limit) return before;
  // Between works more lives than in the arena where results overwrite inputs, and less where kernels need room.
  // What is needed late for no reason (gradients of weights in the order of the source) could not be let go of.
  const early = freeEarly(program, sizes);
  const base = liveBytes(early, sizes) <= 1.02 * liveBytes(program, sizes) ? early : program;
  const more = Math.max(0, liveBytes(program, sizes) - least);
  let best: { readonly found: Recomputed; readonly bytes: number } | undefined;
  for (const aim of aims) {
    const found = recompute(base, sizes, aim * (limit + more));
    if (found.again.length === 0) continue;
    const bytes = liveBytes(overwrite(found.program), sizes);
    if (!best || bytes < best.bytes) best = { found, bytes };
    if (bytes <= limit) {
      const lowered = { ...lower(found.program), again: found.again };
      least = Math.min(least, arenaOf(lowered));
      if (least <= limit) return lowered;
    }
  }
  if (best && best.bytes > limit) least = Math.min(least, arenaOf(lower(best.found.program)));
  throw tooLarge(least);
}
