import type { OrderBlock, OrderUnit } from './units.ts';

/** What the search must know of a program. */
export interface Orderable {
  readonly units: readonly Pick<OrderUnit, 'after' | 'touches'>[];
  readonly blocks: readonly OrderBlock[];
}

/** Orders that local search looks at, at most, and steps of all of them together. */
const attempts = 3000;
const effort = 3e6;

export interface Peak {
  readonly bytes: number;
  /** Where it is reached first, and how many units are at it. */
  readonly at: number;
  readonly units: number;
}

/** The most bytes that live at once when units run in this order. */
export function peakOf({ units, blocks }: Orderable, order: readonly number[]): Peak {
  const from = new Int32Array(blocks.length).fill(-2);
  const to = new Int32Array(blocks.length).fill(-2);
  blocks.forEach((b, i) => {
    if (b.given) from[i] = to[i] = -1;
  });
  order.forEach((u, at) => {
    for (const b of units[u]!.touches) {
      if (from[b] === -2) from[b] = at;
      to[b] = at;
    }
  });
  const change = new Float64Array(order.length + 3);
  blocks.forEach((b, i) => {
    if (from[i] === -2) return;
    const end = b.kept ? order.length : to[i]!;
    change[from[i]! + 1]! += b.bytes;
    change[end + 2]! -= b.bytes;
  });
  let live = 0;
  let peak: Peak = { bytes: 0, at: -1, units: 0 };
  for (let i = 0; i < order.length + 2; i++) {
    live += change[i]!;
    if (live > peak.bytes) peak = { bytes: live, at: i - 1, units: 1 };
    else if (live === peak.bytes) peak = { ...peak, units: peak.units + 1 };
  }
  return peak;
}

const isBelow = (a: Peak, b: Peak): boolean =>
  a.bytes < b.bytes || (a.bytes === b.bytes && a.units < b.units);

/** The order with the lowest peak that is found; that of the source unless another one is lower. Deterministic. */
export function findOrder(problem: Orderable): readonly number[] {
  const source = problem.units.map((_, i) => i);
  const before = peakOf(problem, source);
  let best: { order: readonly number[]; peak: Peak } = { order: source, peak: before };
  for (const start of [source, eager(problem, true), eager(problem, false), backwards(problem)]) {
    const found = improve(problem, start);
    if (found.peak.bytes < best.peak.bytes) best = found;
  }
  return best.order;
}

/**
 * List scheduling: of the units that are ready, one that frees at least what it allocates, or else the next one of the
 * source (`patient`), or the one after which least lives.
 */
export function eager({ units, blocks }: Orderable, patient: boolean): number[] {
  const left = new Int32Array(blocks.length);
  for (const { touches } of units) for (const b of touches) left[b]!++;
  const lives = blocks.map(b => b.given);
  const change = (u: number): number =>
    units[u]!.touches.reduce(
      (n, b) =>
        n + (lives[b] ? 0 : blocks[b]!.bytes) - (left[b] === 1 && !blocks[b]!.kept ? blocks[b]!.bytes : 0),
      0,
    );
  return schedule(
    units.map(u => u.after),
    ready => {
      let chosen = ready[0]!;
      let least = Number.POSITIVE_INFINITY;
      for (const u of ready) {
        const n = change(u);
        if (n < least && (!patient || n <= 0 || u === ready[0])) [chosen, least] = [u, n];
      }
      if (patient && least > 0) chosen = ready[0]!;
      for (const b of units[chosen]!.touches) {
        left[b]!--;
        lives[b] = true;
      }
      return chosen;
    },
  );
}

/** The same from the end: of the units that nothing waits for any more, the one before which least lives. */
function backwards({ units, blocks }: Orderable): number[] {
  const before = units.map(() => new Set<number>());
  units.forEach(({ after }, i) => {
    for (const u of after) before[u]!.add(i);
  });
  const left = new Int32Array(blocks.length);
  for (const { touches } of units) for (const b of touches) left[b]!++;
  const lives = blocks.map(b => b.kept);
  const change = (u: number): number =>
    units[u]!.touches.reduce(
      (n, b) =>
        n + (lives[b] ? 0 : blocks[b]!.bytes) - (left[b] === 1 && !blocks[b]!.given ? blocks[b]!.bytes : 0),
      0,
    );
  return schedule(before, ready => {
    let chosen = ready.at(-1)!;
    let least = change(chosen);
    for (const u of ready) {
      const n = change(u);
      if (n < least) [chosen, least] = [u, n];
    }
    for (const b of units[chosen]!.touches) {
      left[b]!--;
      lives[b] = true;
    }
    return chosen;
  }).reverse();
}

/** All positions, each behind those that it waits for; `choose` is given those that are ready, in ascending order. */
function schedule(
  waits: readonly ReadonlySet<number>[],
  choose: (ready: readonly number[]) => number,
): number[] {
  const missing = waits.map(w => w.size);
  const followers = waits.map((): number[] => []);
  waits.forEach((w, i) => {
    for (const u of w) followers[u]!.push(i);
  });
  const ready = missing.flatMap((n, i) => (n === 0 ? [i] : []));
  const order: number[] = [];
  while (ready.length > 0) {
    const chosen = choose(ready);
    ready.splice(ready.indexOf(chosen), 1);
    order.push(chosen);
    for (const f of followers[chosen]!) {
      if (--missing[f]! > 0) continue;
      const at = ready.findIndex(r => r > f);
      ready.splice(at < 0 ? ready.length : at, 0, f);
    }
  }
  return order;
}

/** Moves single units across the peak, as far as what they wait for and what waits for them allows, while that helps. */
function improve(problem: Orderable, start: readonly number[]): { order: readonly number[]; peak: Peak } {
  const { units } = problem;
  const before = units.map((): number[] => []);
  units.forEach(({ after }, i) => {
    for (const u of after) before[u]!.push(i);
  });
  let best = { order: start, peak: peakOf(problem, start) };
  let left = Math.min(attempts, Math.floor(effort / (units.length + 1)));
  for (let helped = true; helped && left > 0; ) {
    helped = false;
    const { order, peak } = best;
    const position: number[] = [];
    order.forEach((u, i) => {
      position[u] = i;
    });
    // Nearest to the peak first.
    const near = [...order.keys()].sort((a, b) => Math.abs(a - peak.at) - Math.abs(b - peak.at) || a - b);
    for (const at of near) {
      if (left <= 0) break;
      const u = order[at]!;
      const to =
        at <= peak.at
          ? before[u]!.reduce((n, f) => Math.min(n, position[f]!), order.length) - 1
          : [...units[u]!.after].reduce((n, w) => Math.max(n, position[w]!), -1) + 1;
      const crosses = at <= peak.at ? to > at && to >= peak.at : to < at && to <= peak.at;
      if (!crosses) continue;
      left--;
      const moved = order.toSpliced(at, 1).toSpliced(to, 0, u);
      const found = peakOf(problem, moved);
      if (!isBelow(found, peak)) continue;
      best = { order: moved, peak: found };
      helped = true;
      break;
    }
  }
  return best;
}
