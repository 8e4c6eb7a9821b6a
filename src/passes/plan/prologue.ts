import * as D from '../../ir/dim.ts';
import type { Program, Tensor, Work } from '../../ir/program.ts';
import { tensorBytes, unitOf } from './storage.ts';

/**
 * The works whose results are the same in every run until parameters change: they read parameters and states that the
 * program nowhere writes, and what other such works make, and neither free dims nor other numbers of the run. What they
 * write is written by nothing else and is no result, since those lie in the arena.
 */
export function prologueOf({ works, outputs }: Program): ReadonlySet<Work> {
  const root = (t: Tensor): Tensor => unitOf(t).root;
  const writers = new Map<Tensor, Work[]>();
  for (const work of works)
    for (const t of new Set(work.outputs.map(root))) writers.set(t, [...(writers.get(t) ?? []), work]);
  const results = new Set(outputs.map(o => root(o.tensor)));

  const found = new Set(works.filter(work => !work.loop && !dependsOnSizes(work.region)));
  const isMade = (t: Tensor): boolean =>
    t.role === 'temporary' &&
    !results.has(t) &&
    D.constantValue(tensorBytes(t)) !== undefined &&
    (writers.get(t) ?? []).every(w => found.has(w));
  const isGiven = (t: Tensor): boolean => (t.role === 'param' || t.role === 'state') && !writers.has(t);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const work of found)
      if (
        !work.outputs.every(t => isMade(root(t))) ||
        !work.inputs.every(t => isMade(root(t)) || isGiven(root(t)))
      )
        found.delete(work);
  }
  return found;
}

/** Roots of what the works of the prologue make: it lies in memory of its own. */
export const constantsOf = (program: Program): ReadonlySet<number> =>
  new Set([...prologueOf(program)].flatMap(work => work.outputs.map(t => unitOf(t).root.id)));

const known = new WeakMap<object, boolean>();

/** Whether a free dim is mentioned anywhere: in an extent, an index or a value. */
function dependsOnSizes(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  let found = known.get(node);
  if (found === undefined) {
    found = 'terms' in node ? D.symbols(node as D.Dim).size > 0 : Object.values(node).some(dependsOnSizes);
    known.set(node, found);
  }
  return found;
}
