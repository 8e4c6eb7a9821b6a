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

/** What is allowed, and for what. */
export interface Limit {
  readonly bytes: number;
  readonly sizes: DimEnv;
}

/** What the search aims at first, as shares of the limit. */
const near = [1, 0.97, 0.93];
/**
 * Then, as shares of what lives without a limit, since what aims lower may come further where another gets stuck. They
 * do not depend on the limit, so that the least that is found for one limit is found for itself too.
 */
const ladder = [0.8, 0.7, 0.6, 0.5, 0.4, 0.25, 0];

/**
 * Lets go of results and makes them again until the memory of a program takes at most as many bytes as are allowed.
 * `lower` takes a program to its plan. Where no attempt fits, `tooLarge` is given the fewest bytes that one took.
 */
export function fitInto<T extends Fitted>(
  program: Program,
  { bytes: limit, sizes }: Limit,
  lower: (program: Program) => T,
  tooLarge: (bytes: number) => Error,
): T {
  const bytesOf = ({ plan }: Fitted): number =>
    D.evaluate(plan.arenaBytes, sizes) + D.evaluate(plan.constantBytes ?? D.constant(0), sizes);
  const before = lower(program);
  let least = bytesOf(before);
  if (least <= limit) return before;
  // What depends on parameters alone has memory of its own. It counts, and cannot be let go of.
  const constants = D.evaluate(before.plan.constantBytes ?? D.constant(0), sizes);
  // Between works more lives than in the arena where results overwrite inputs, and less where kernels need room.
  // What is needed late for no reason (gradients of weights in the order of the source) could not be let go of.
  const early = freeEarly(program, sizes);
  const live = liveBytes(program, sizes);
  const base = liveBytes(early, sizes) <= 1.02 * live ? early : program;
  const room = limit - constants + Math.max(0, live - (least - constants));
  const lowered = ({ program, again }: Recomputed): T => {
    const made = { ...lower(program), again };
    least = Math.min(least, bytesOf(made));
    return made;
  };
  const attempt = (aim: number): { readonly found: Recomputed; readonly bytes: number } | undefined => {
    const found = recompute(base, sizes, aim);
    if (found.again.length === 0) return undefined;
    return { found, bytes: constants + liveBytes(overwrite(found.program), sizes) };
  };
  for (const share of near) {
    const tried = attempt(share * room);
    if (!tried || tried.bytes > limit) continue;
    const made = { ...lower(tried.found.program), again: tried.found.again };
    if (bytesOf(made) <= limit) return made;
  }
  // The least is sought among all of them, but what aims above the limit comes last.
  const isBelow = (share: number): boolean => share * live < near.at(-1)! * room;
  const steps = [...ladder.filter(isBelow), ...ladder.filter(share => !isBelow(share))];
  let best: ReturnType<typeof attempt>;
  for (const share of steps) {
    const tried = attempt(share * live);
    if (!tried) continue;
    if (!best || tried.bytes < best.bytes) best = tried;
    if (tried.bytes > limit) continue;
    const made = lowered(tried.found);
    if (bytesOf(made) <= limit) return made;
  }
  if (best) {
    const made = lowered(best.found);
    if (bytesOf(made) <= limit) return made;
  }
  throw tooLarge(least);
}
