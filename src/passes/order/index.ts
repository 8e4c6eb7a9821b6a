import type { DimEnv } from '../../ir/dim.ts';
import type { Program } from '../../ir/program.ts';
import { eager, findOrder, peakOf } from './search.ts';
import { orderProblem } from './units.ts';

/**
 * Puts works into an order in which the most bytes that live at once are as few as can be found. Works of a loop stay
 * together. What reads, writes or overwrites the same memory keeps its order, and so does everything where no other
 * order needs less.
 */
export function orderWorks(program: Program, sizes: DimEnv): Program {
  const problem = orderProblem(program, sizes);
  const order = findOrder(problem);
  if (order.every((u, i) => u === i)) return program;
  return { ...program, works: order.flatMap(u => problem.units[u]!.works) };
}

/** Works that free memory come as early as they can; what else there is keeps its order. */
export function freeEarly(program: Program, sizes: DimEnv): Program {
  const problem = orderProblem(program, sizes);
  return { ...program, works: eager(problem, true).flatMap(u => problem.units[u]!.works) };
}

/** The most bytes of temporaries and inputs that live at once between the works of a program. */
export function liveBytes(program: Program, sizes: DimEnv): number {
  const problem = orderProblem(program, sizes);
  return peakOf(
    problem,
    problem.units.map((_, i) => i),
  ).bytes;
}
