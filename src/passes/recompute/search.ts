import type { DimEnv } from '../../ir/dim.ts';
import type { Program, Tensor, Work } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
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
  /** Bytes more or less that live at each unit, how much excess that saves, and that for the cost. */
  readonly change: Float64Array;
  readonly less: number;
  readonly gain: number;
  /** Blocks that it lets go of, makes again or reads. */
  readonly uses: readonly number[];
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
    const made = new Set(program.works.length > many ? again.map(w => w.name) : []);
    const time = timeline(now, sizes, made);
    const bytes = time.live.reduce((a, b) => Math.max(a, b), 0);
    const steps = bytes > limit && again.length < program.works.length ? bestSteps(time, limit) : [];
    if (steps.length === 0) return { program: now, again, bytes };
    const added: Work[] = [];
    now = applied(now, time, steps, added);
    again.push(...added);
  }
}

/** In one go are taken: the best step, and others that are nearly as good and have nothing to do with those before. */
const nearly = 0.5;
/** Only where there are more works than this, each of which is looked at for every step. */
const many = 150;

function bestSteps(time: Timeline, limit: number): Step[] {
  const found: Step[] = [];
  for (const [block, maker] of time.makers) {
    const touches = time.touches[block]!;
    for (let k = 1; k < touches.length; k++) {
      const from = touches[k - 1]!;
      const to = touches[k]!;
      if (to - from < 2 || !isAbove(time.live, from + 1, to, limit)) continue;
      for (const depth of [0, deepest]) {
        const step = stepFor(time, block, maker, from, to, limit, depth);
        if (step) found.push(step);
      }
    }
  }
  found.sort((a, b) => b.gain - a.gain);
  const taken: Step[] = [];
  const used = new Set<number>();
  const inOneGo = time.problem.units.length > many;
  for (const step of found) {
    if (taken.length > 0 && !inOneGo) break;
    if (step.gain < nearly * found[0]!.gain) break;
    if (step.uses.some(b => used.has(b))) continue;
    const less = lessExcess(time.live, step.change, limit);
    if (less < nearly * step.less) continue;
    taken.push(step);
    for (const b of step.uses) used.add(b);
    step.change.forEach((bytes, i) => {
      time.live[i]! += bytes;
    });
  }
  return taken;
}

function lessExcess(live: Float64Array, change: Float64Array, limit: number): number {
  let less = 0;
  for (let i = 0; i < live.length; i++)
    if (change[i] !== 0) less += Math.max(0, live[i]! - limit) - Math.max(0, live[i]! + change[i]! - limit);
  return less;
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
  const read: number[] = [];
  const change = new Float64Array(units.length);
  const visit = (at: number, m: Maker, left: number): boolean => {
    if (made.has(at)) return true;
    made.add(at);
    for (const t of m.work.inputs) {
      if (!isUnchanged(time, t, m.unit, to)) return false;
      const input = time.blockOf(t);
      if (input === undefined) continue;
      read.push(input);
      if (made.has(input)) continue;
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
  const less = lessExcess(time.live, change, limit);
  if (less <= 0) return undefined;
  const gain = less / makers.reduce((n, m) => n + m.cost, 1);
  return { makers, before: to, change, less, gain, uses: [...new Set([...made, ...read])] };
}

/** Whether a tensor still has at one unit what it had at another before. */
function isUnchanged({ writers }: Timeline, tensor: Tensor, from: number, to: number): boolean {
  if (storageOf(tensor).role === 'pack') return false;
  for (let t: Tensor | undefined = storageOf(tensor); t; t = t.within && storageOf(t.within.pack))
    if (writers.get(t.id)?.some(w => w >= from && w < to)) return false;
  return true;
}

function applied(program: Program, time: Timeline, steps: readonly Step[], added: Work[]): Program {
  const temporaries = new Temporaries(program);
  const before = new Map<number, Step[]>();
  for (const step of steps) before.set(step.before, [...(before.get(step.before) ?? []), step]);
  // What stands for what from here on; views of it are made anew.
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
  const again = ({ work, tensor }: Maker): Work => {
    const [compute] = work.region.stages;
    const inputs = work.inputs.map(follow);
    const out = compute!.outs[work.outputs.indexOf(tensor)]!;
    const made = temporaries.make(`${tensor.name}_again`, tensor.type, tensor.origin);
    fresh.set(tensor.id, made);
    followed.clear();
    const stages = [{ ...compute!, outs: [out] }];
    return { ...work, name: made.name, inputs, outputs: [made], region: { outer: [], stages } };
  };
  const works = time.problem.units.flatMap((unit, i) => {
    const made = (before.get(i) ?? []).flatMap(step => step.makers.map(again));
    added.push(...made);
    const kept = unit.works.map(w => {
      const inputs = w.inputs.map(follow);
      return inputs.every((t, k) => t === w.inputs[k]) ? w : { ...w, inputs };
    });
    return [...made, ...kept];
  });
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}
