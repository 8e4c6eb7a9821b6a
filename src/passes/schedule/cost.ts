import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Prices } from '../prices.ts';
import { BlockConditions, BlockIndex, type Extents } from './block.ts';
import { conditionsOf } from './conditions.ts';
import { nominalValue } from './grid.ts';
import { operations } from './operations.ts';
import { sharedAlong, sharers } from './share.ts';

/** Everything about one reduction that does not change from choice to choice. */
export interface Subject {
  readonly compute: Compute;
  readonly loads: readonly LoadShape[];
  /** Of one term: those of its lifts, and adding it up. */
  readonly operations: number;
  readonly conditions: BlockConditions;
}

/** A load by the indices of its dims; `axes` are those that its guard depends on. */
interface LoadShape {
  readonly dims: readonly BlockIndex[];
  readonly guarded: boolean;
  readonly guard: ReadonlySet<Axis>;
}

export function subject(compute: Compute): Subject {
  const { lift } = compute.reduce!;
  return {
    compute,
    loads: loadsOf(lift).map(loadShape),
    operations: lift.reduce((n, e) => n + operations(e), 0) + lift.length,
    conditions: new BlockConditions(conditionsOf(compute.reduce!, () => true).conditions),
  };
}

/** The same of a work without a reduction. */
export function mapSubject(compute: Compute): Subject {
  const values = compute.outs.map(o => o.value);
  const loads = new Map(loadsOf(values).map(l => [E.exprKey(l), l]));
  return {
    compute,
    loads: [...loads.values()].map(loadShape),
    operations: values.reduce((n, e) => n + operations(e), 0),
    conditions: new BlockConditions([]),
  };
}

function loadShape(load: Extract<Expr, { kind: 'load' }>): LoadShape {
  const guard = new Set<Axis>();
  // What only holds or fails with the place in a block is decided there.
  for (const c of load.guard ?? [])
    for (const x of [c.a, c.b])
      if (A.axisCoefficients(x).rest.kind === 'dim') E.visitIndex(x, { axis: a => void guard.add(a) });
  return { guarded: load.guard !== undefined, guard, dims: load.at.map(x => new BlockIndex(x)) };
}

/** Distinct elements that a load touches in the block. */
const distinct = ({ dims }: LoadShape, extents: Extents): number =>
  dims.reduce((n, dim) => n * dim.over(extents).count, 1);

/** Whether lanes can share a load: all of them want the same, and there are neighbours that each can read one of. */
function isShared({ dims, guard }: LoadShape, extents: Extents, own: ReadonlySet<Axis>): boolean {
  return (
    sharedAlong(dims, extents) !== undefined &&
    ![...guard].some(a => own.has(a)) &&
    !dims.some(dim => [...dim.over(extents).moving].some(a => own.has(a)))
  );
}

/** Nanoseconds of a tile of a work without a reduction; indices are worked out once for each. */
export function estimateMap(
  { compute, loads, operations }: Subject,
  tile: ReadonlyMap<Axis, number>,
  price: Prices,
): number {
  let block = 1;
  let invocations = 1;
  for (const axis of compute.axes) {
    const size = tile.get(axis) ?? 1;
    block *= size;
    invocations *= Math.ceil(nominalValue(axis.extent) / size);
  }
  const loaded = loads.reduce((n, load) => n + distinct(load, tile), 0);
  const each =
    (loaded + block * compute.outs.length) * price.load +
    (block * operations + 40 * compute.axes.length) * price.arithmetic;
  return (Math.max(invocations, price.lanes) / price.lanes) * each + block * operations * price.code;
}

/** Nanoseconds of a tile choice at the nominal sizes. */
export function estimate(
  { compute, loads, operations: each, conditions }: Subject,
  tile: ReadonlyMap<Axis, number>,
  unroll: ReadonlyMap<Axis, number>,
  price: Prices,
  shared?: ReadonlySet<Axis>,
): number {
  const extents = new Map([...tile, ...unroll]);
  let block = 1;
  let ownTiles = 1;
  let groups = 1;
  for (const axis of compute.axes) {
    const size = tile.get(axis) ?? 1;
    const count = Math.ceil(nominalValue(axis.extent) / size);
    block *= size;
    if (shared?.has(axis)) groups *= count;
    else ownTiles *= count;
  }
  const invocations = groups * (shared ? sharers * Math.ceil(ownTiles / sharers) : ownTiles);
  let taps = 1;
  let turns = 1;
  for (const axis of compute.reduce!.axes) {
    const size = unroll.get(axis) ?? 1;
    taps *= size;
    turns *= nominalValue(axis.extent) / size;
  }
  const own = shared && new Set(compute.axes.filter(a => !shared.has(a)));
  // In numbers of loads and hand-overs.
  let loaded = 0;
  let handed = 0;
  let guards = 0;
  for (const load of loads) {
    const elements = distinct(load, extents);
    const handedOut = own && isShared(load, extents, own);
    loaded += handedOut ? elements / sharers : elements;
    if (handedOut) handed += elements;
    if (load.guarded) guards += handedOut ? elements / sharers : elements;
  }
  const parts = compute.reduce!.monoid.types.length;
  const count = block * taps * each * conditions.alive(extents);
  const body =
    loaded * price.load +
    handed * (price.share ?? 0) +
    count * price.arithmetic +
    block * parts * price.update +
    4 * price.arithmetic;
  const size = { loaded, handed, operations: count, updates: block * parts };
  const turn = body * slowdown(size, price) + guards * 3 * price.arithmetic;
  const outputs = block * compute.outs.length * price.load;
  const time =
    (Math.max(invocations, price.lanes) / price.lanes) * (turns * turn + outputs + 10 * price.arithmetic);
  // Straight-line code: what compile time and module size grow with.
  return time + price.dispatch + count * price.code;
}

interface BodySize {
  readonly loaded: number;
  readonly handed: number;
  readonly operations: number;
  readonly updates: number;
}

/** How much longer a turn takes because of its length; from the limit on it grows fast. */
function slowdown({ loaded, handed, operations, updates }: BodySize, { body }: Prices): number {
  if (!body) return 1;
  const instructions = loaded * body.load + handed * body.share + operations + 2 * updates;
  const over = Math.min(1, Math.max(0, (15 * (instructions - body.instructions)) / body.instructions));
  return 1 + over * (body.beyond - 1);
}
