import type { Axis } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { type KExpr, lanesOf } from '../../ir/kernel.ts';
import type { Emitter } from './emitter.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';

export type Variable = Extract<KExpr, { kind: 'ref' }>;

/**
 * Sums of f32 lose a bit of every term once the total is large: a million terms of one sign, one after the other, lose
 * the fifth digit, a hundred million all of them. Long loops therefore sum in blocks, whose results are summed in turn:
 *
 *     for k < n:  total += term(k)
 *  -> for b < n by 256:  part = 0;  for k from b to min(b + 256, n):  part += term(k);  total += part
 *
 * What rounds is then as long as a block and as there are blocks. No rule of arithmetic is bent for it, as compensated
 * sums would, which drivers may simplify away.
 */
const block = { terms: 256, blocks: 64 };

/** Up to here a sum is as good as its terms: it loses less than a millionth. */
const short = 2048;

/** From where to before where a loop runs, if not over the whole axis; asked where the loop stands. */
export type Bounds = (axis: Axis) => readonly [from: KExpr, to: KExpr] | undefined;

/** One loop of a nest; `fresh`: what it adds up is summed on its own before it joins the rest. */
interface Level {
  readonly fresh: boolean;
  run(body: () => void): void;
}

/** Whether so many terms in a row are too many, as far as that is known. */
export function isLong(terms: Dim): boolean {
  const n = D.constantValue(terms);
  return n === undefined || n > short;
}

/**
 * Runs `body` for every point of `counters`, the last fastest, each of which stands for `taps` terms. `body` adds to the
 * variables that it is given: those of `totals`, or blocks' own that are added to them.
 */
export function blockedLoops(
  emitter: Emitter,
  counters: readonly Axis[],
  taps: number,
  totals: readonly Variable[],
  body: (variables: readonly Variable[]) => void,
  bounds: Bounds = () => undefined,
): void {
  // Nothing to add: what would be read ahead of the loops may not be there.
  if (counters.some(a => D.isConstant(a.extent, 0))) return;
  const terms = D.scale(D.product(counters.map(a => a.extent)), taps);
  const levels =
    isLong(terms) && totals.length > 0
      ? longLevels(emitter, counters, taps, bounds)
      : counters.map(a => whole(emitter, a, bounds));
  const nest = (depth: number, variables: readonly Variable[]): void => {
    const level = levels[depth];
    if (!level) body(variables);
    else if (!level.fresh) level.run(() => nest(depth + 1, variables));
    else {
      const own = variables.map(v => emitter.variable('part', K.splat(K.constant(0, v.dtype), lanesOf(v))));
      level.run(() => nest(depth + 1, own));
      variables.forEach((v, i) => {
        emitter.push({ kind: 'assign', name: v.name, value: K.binary('add', v, own[i]!) });
      });
    }
  };
  nest(0, totals);
}

const whole = (emitter: Emitter, axis: Axis, bounds: Bounds): Level => ({
  fresh: false,
  run: body => {
    const known = bounds(axis);
    if (!known) return loop(emitter, axis, body);
    const name = emitter.name(axis.name);
    const [from, to] = known;
    emitter.setAxis(axis, K.ref(name));
    emitter.push({ kind: 'for', name, from, to, step: 1, body: emitter.block(body, name) });
  },
});

/** From outside inwards: a loop that is long itself becomes several, and starts a block where those inside fill one. */
function longLevels(emitter: Emitter, counters: readonly Axis[], taps: number, bounds: Bounds): Level[] {
  const levels: Level[] = [];
  let inside = taps;
  for (const axis of [...counters].reverse()) {
    const extent = D.constantValue(axis.extent);
    const fills = inside >= block.terms / 4;
    if (extent !== undefined && extent * inside <= 2 * block.terms) {
      inside *= extent;
      levels.unshift(whole(emitter, axis, bounds));
      continue;
    }
    if (fills && levels[0]) levels[0] = { ...levels[0], fresh: true };
    const size = fills ? block.blocks : Math.max(1, Math.floor(block.terms / inside));
    if (extent !== undefined && extent <= 2 * size) levels.unshift(whole(emitter, axis, bounds));
    else levels.unshift(...inBlocks(emitter, axis, extent, size, bounds));
    inside = block.terms;
  }
  return levels;
}

/** A loop in blocks of `size` turns, and where it may have very many, in blocks of those. */
function inBlocks(
  emitter: Emitter,
  axis: Axis,
  extent: number | undefined,
  size: number,
  bounds: Bounds,
): Level[] {
  const many = size * block.blocks;
  const sizes = extent !== undefined && extent <= many ? [size] : [many, size];
  let [from, to]: [KExpr, KExpr] = [K.int(0), K.int(0)];
  const outer = sizes.map(
    (step, i): Level => ({
      fresh: i > 0,
      run: body => {
        if (i === 0) [from, to] = bounds(axis) ?? [K.int(0), emitter.dim(axis.extent)];
        const name = emitter.name(`${axis.name}_block`);
        const inner = emitter.block(() => {
          const [start, end] = [from, to];
          from = K.ref(name);
          to = emitter.bind('end', K.binary('min', K.sum([from, K.int(step)]), end));
          body();
          [from, to] = [start, end];
        }, name);
        emitter.push({ kind: 'for', name, from, to, step, body: inner });
      },
    }),
  );
  const last: Level = {
    fresh: true,
    run: body => {
      const name = emitter.name(axis.name);
      emitter.setAxis(axis, K.ref(name));
      const inner = emitter.block(body, name);
      emitter.push({ kind: 'for', name, from, to, step: 1, body: inner });
    },
  };
  return [...outer, last];
}
