import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import type { Emitter } from '../emitter.ts';
import { nominalValue, place, type Tiled } from '../grid.ts';
import * as K from '../kexpr.ts';

/** Nanoseconds of work that a group should be, at least: so much that threads hardly notice fetching it. */
const grain = 15_000;

/**
 * Runs `body` for every tile: the last tiles in loops inside a group, as many as make a group long enough, the others
 * numbered by groups, which threads share. Returns the number of groups.
 */
export function overGroups(
  emitter: Emitter,
  tiles: readonly Tiled[],
  nanoseconds: number,
  body: () => void,
): Dim {
  const live = tiles.filter(t => !D.isConstant(t.counter.extent, 1));
  for (const t of tiles) if (!live.includes(t)) place(emitter, t, K.int(0));

  let inside = Math.max(0.1, nanoseconds);
  let cut = live.length;
  while (cut > 0 && inside * nominalValue(live[cut - 1]!.counter.extent) <= grain)
    inside *= nominalValue(live[--cut]!.counter.extent);
  const outer = live.slice(0, cut);
  const split = outer.at(-1);
  const turns = split ? chunk(split.counter.extent, Math.round(grain / inside)) : 1;
  const pieces = (t: Tiled): Dim =>
    t === split
      ? D.floorDiv(D.add(t.counter.extent, D.constant(turns - 1)), D.constant(turns))
      : t.counter.extent;

  let rest = K.builtin('group') as ReturnType<typeof K.int>;
  const numbers = new Map<Tiled, ReturnType<typeof K.int>>();
  for (let i = outer.length - 1; i >= 0; i--) {
    const t = outer[i]!;
    const count = emitter.dim(pieces(t));
    numbers.set(t, i === 0 ? rest : emitter.bind(t.axis.name, K.binary('mod', rest, count)));
    if (i > 0) rest = emitter.bind('rest', K.binary('floordiv', rest, count));
  }
  for (const t of outer) if (t !== split || turns === 1) place(emitter, t, numbers.get(t)!);

  const loops = live.slice(turns > 1 ? cut - 1 : cut);
  const nest = (depth: number): void => {
    const t = loops[depth];
    if (!t) {
      body();
      return;
    }
    const name = emitter.name(t.axis.name);
    const extent = emitter.dim(t.counter.extent);
    const from = t === split ? emitter.bind('from', K.scale(numbers.get(t)!, turns)) : K.int(0);
    const whole = t !== split || D.divideExact(t.counter.extent, D.constant(turns)) !== undefined;
    const end = t === split ? K.sum([from, K.int(turns)]) : extent;
    const to = whole ? end : emitter.bind('to', K.binary('min', end, extent));
    const inner = emitter.block(() => {
      place(emitter, t, K.ref(name));
      nest(depth + 1);
    }, name);
    emitter.push({ kind: 'for', name, from, to, step: 1, body: inner });
  };
  nest(0);
  return D.product(outer.map(pieces));
}

/** Turns of a loop in one group, near to what is wanted and even among groups. */
function chunk(extent: Dim, wanted: number): number {
  const n = D.constantValue(extent);
  const most = Math.max(1, wanted);
  if (n === undefined) return most;
  return Math.ceil(n / Math.ceil(n / most));
}
