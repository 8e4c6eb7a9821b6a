import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Plan } from '../../ir/plan.ts';
import type { Program, Work } from '../../ir/program.ts';
import { liveBytes } from '../order/index.ts';
import { recompute } from './search.ts';

/** What a program became, as far as the search for one that fits must know it. */
export interface Fitted {
  readonly plan: Plan;
  /** Works that run again so that less need be kept. */
  readonly again?: readonly Work[];
}

/** Attempts to fit a limit, and to find the least that can be reached where it does not fit. */
const attempts = 5;

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
  const whole = lower(program);
  let least = arenaOf(whole);
  if (least <= limit) return whole;
  // Between works more lives than in the arena where results overwrite inputs, and less where kernels need room.
  let target = limit + Math.max(0, liveBytes(program, sizes) - least);
  const tried = (
    wanted: number,
  ): { readonly lowered?: T; readonly arena: number; readonly missed: boolean } => {
    const { program: other, again, bytes } = recompute(program, sizes, wanted);
    if (again.length === 0) return { arena: least, missed: true };
    const lowered = { ...lower(other), again };
    return { lowered, arena: arenaOf(lowered), missed: bytes > wanted };
  };
  let lowest = 0;
  for (let n = 0; n < attempts; n++) {
    const { lowered, arena, missed } = tried(target);
    least = Math.min(least, arena);
    if (lowered && arena <= limit) return lowered;
    if (missed) {
      lowest = target;
      break;
    }
    target -= arena - limit;
  }
  // What can be reached lies between that and what there was; the search aims at each in turn.
  let highest = liveBytes(program, sizes);
  for (let n = 0; n < attempts && highest > lowest * 1.01; n++) {
    const middle = Math.ceil((lowest + highest) / 2);
    const { lowered, arena, missed } = tried(middle);
    least = Math.min(least, arena);
    if (lowered && arena <= limit) return lowered;
    if (missed) lowest = middle;
    else highest = middle;
  }
  throw tooLarge(least);
}
