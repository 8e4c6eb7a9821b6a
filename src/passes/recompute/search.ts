import type { DimEnv } from '../../ir/dim.ts';
import type { Program, Tensor, Work } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
import { unitOf } from '../plan/storage.ts';
import { Temporaries } from '../temporaries.ts';
import { type Maker, type Timeline, timeline } from './timeline.ts';

/** Works that are run again where their results were let go, and what that costs. */
export interface Recomputed {
  readonly program: Program;
  /** Those that were added. */
  readonly again: readonly Work[];
  /** The most bytes that live at once. */
  readonly bytes: number;
}

/** Makers that one step may run again to get at what it wants. */
const deepest = 4;

/** Results are let go between two uses, and made again before the second. */
interface Step {
  readonly makers: readonly Maker[];
  /** The unit before which they run. */
  readonly before: number;
  readonly gain: number;
}

/**
 * Until at most `limit` bytes live at once: lets go of what saves most excess for the cost of making it again. What is
 * made again reads what still lives there or is made again with it. A chain of layers so becomes segments of which the
 * first values are kept.
 */
export function recompute(program: Program, sizes: DimEnv, limit: number): Recomputed {
  const again: Work[] = [];
  let now = program;
  for (;;) {
    const time = timeline(now, sizes);
    const bytes = time.live.reduce((a, b) => Math.max(a, b), 0);
    const step = bytes > limit && again.length < 4 * program.works.length ? bestStep(time, limit) : undefined;
    if (!step) return { program: now, again, bytes };
    const added: Work[] = [];
    now = applied(now, time, step, added);
    again.push(...added);
  }
}

function bestStep(time: Timeline, limit: number): Step | undefined {
  let best: Step | undefined;
  for (const [block, maker] of time.makers) {
    const touches = time.touches[block]!;
    for (let k = 1; k < touches.length; k++) {
      const from = touches[k - 1]!;
      const to = touches[k]!;
      if (to - from < 2 || !isAbove(time.live, from + 1, to, limit)) continue;
      for (const depth of [0, deepest]) {
        const step = stepFor(time, block, maker, from, to, limit, depth);
        if (step && (!best || step.gain > best.gain)) best = step;
      }
    }
  }
  return best;
}

function isAbove(live: Float64Array, from: number, to: number, limit: number): boolean {
  for (let at = from; at < to; at++) if (live[at]! > limit) return true;
  return false;
}

/** What letting go of a block from one use to the next brings, a number of bytes times units for the cost. */
function stepFor(
  time: Timeline,
  block: number,
  maker: Maker,
  from: number,
  to: number,
  limit: number,
  depth: number,
): Step | undefined {
  const { blocks, units } = time.problem;
  const makers: Maker[] = [];
  const made = new Set<number>();
  const change = new Float64Array(units.length);
  const visit = (at: number, m: Maker, left: number): boolean => {
    if (made.has(at)) return true;
    made.add(at);
    for (const t of m.work.inputs) {
      if (!isUnchanged(time, t, m.unit, to)) return false;
      const input = time.blockOf(t);
      if (input === undefined || made.has(input)) continue;
      const last = blocks[input]!.kept ? units.length : time.touches[input]!.at(-1)!;
      if (last >= to) continue;
      const other = time.makers.get(input);
      if (left > 0 && other) {
        if (!visit(input, other, left - 1)) return false;
      } else for (let i = last + 1; i <= to; i++) change[i]! += blocks[input]!.bytes;
    }
    makers.push(m);
    return makers.length <= deepest;
  };
  if (!visit(block, maker, depth)) return undefined;
  for (let i = from + 1; i < to; i++) change[i]! -= blocks[block]!.bytes;
  // Others that are made again with it live at the unit before which they run.
  const beside = [...made].reduce((n, b) => n + (b === block ? 0 : blocks[b]!.bytes), 0);
  change[to]! += beside;
  let less = 0;
  for (let i = 0; i < units.length; i++) {
    if (change[i] === 0) continue;
    const before = Math.max(0, time.live[i]! - limit);
    less += before - Math.max(0, time.live[i]! + change[i]! - limit);
  }
  if (less <= 0) return undefined;
  return { makers, before: to, gain: less / makers.reduce((n, m) => n + m.cost, 1) };
}

/** Whether a tensor still has at one unit what it had at another before. */
function isUnchanged({ writers }: Timeline, tensor: Tensor, from: number, to: number): boolean {
  if (unitOf(tensor).root.role === 'pack') return false;
  for (let t: Tensor | undefined = storageOf(tensor); t; t = t.within && storageOf(t.within.pack))
    if (writers.get(t.id)?.some(w => w >= from && w < to)) return false;
  return true;
}

function applied(program: Program, time: Timeline, { makers, before }: Step, added: Work[]): Program {
  const temporaries = new Temporaries(program);
  const fresh = new Map<number, Tensor>();
  const followed = new Map<Tensor, Tensor>();
  const follow = (t: Tensor): Tensor => {
    const known = followed.get(t);
    if (known) return known;
    let now = fresh.get(t.id) ?? t;
    if (t.view) {
      const view = follow(t.view);
      if (view !== t.view) now = temporaries.make(`${t.name}_again`, t.type, t.origin, view);
    }
    followed.set(t, now);
    return now;
  };
  for (const { work, tensor } of makers) {
    const [compute] = work.region.stages;
    const inputs = work.inputs.map(follow);
    const at = work.outputs.indexOf(tensor);
    const made = temporaries.make(`${tensor.name}_again`, tensor.type, tensor.origin);
    added.push({
      ...work,
      name: made.name,
      inputs,
      outputs: [made],
      region: { outer: [], stages: [{ ...compute!, outs: [compute!.outs[at]!] }] },
    });
    fresh.set(tensor.id, made);
    followed.clear();
  }
  const works = time.problem.units.flatMap((unit, i) => [
    ...(i === before ? added : []),
    ...(i < before
      ? unit.works
      : unit.works.map(w => {
          const inputs = w.inputs.map(follow);
          return inputs.every((t, k) => t === w.inputs[k]) ? w : { ...w, inputs };
        })),
  ]);
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}
