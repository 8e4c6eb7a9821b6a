import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Prices } from '../prices.ts';
import { nominalValue } from './grid.ts';
import { operations } from './operations.ts';
import { placesOf, sharedAlong, sharers } from './share.ts';

/** Everything about one reduction that does not change from choice to choice. */
export interface Subject {
  readonly compute: Compute;
  readonly loads: readonly LoadShape[];
  /** Of one term: those of its lifts, and adding it up. */
  readonly operations: number;
}

interface LoadDim {
  readonly index: Index;
  readonly linear: boolean;
  readonly steps: ReadonlyMap<Axis, number>;
}

/** For each index dim of a load: the constant steps of the axes that move it, or just the axes where it isn't linear. */
interface LoadShape {
  readonly dims: readonly LoadDim[];
  readonly guarded: boolean;
  readonly places: readonly ReadonlySet<Axis>[];
  readonly axes: ReadonlySet<Axis>;
}

export function subject(compute: Compute): Subject {
  const { lift } = compute.reduce!;
  return {
    compute,
    loads: loadsOf(lift).map(loadShape),
    operations: lift.reduce((n, e) => n + operations(e), 0) + lift.length,
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
  };
}

function loadShape(load: Extract<Expr, { kind: 'load' }>): LoadShape {
  return {
    guarded: load.guard !== undefined,
    places: placesOf(load),
    axes: new Set(placesOf(load).flatMap(p => [...p])),
    dims: load.at.map(index => {
      const { axes, rest } = A.axisCoefficients(index);
      const steps = new Map<Axis, number>();
      for (const [axis, coefficient] of axes) steps.set(axis, D.constantValue(coefficient) ?? 1);
      const linear = rest.kind === 'dim';
      if (!linear) E.visitIndex(index, { axis: a => void steps.set(a, steps.get(a) ?? 1) });
      return { index, linear, steps };
    }),
  };
}

/** Distinct elements that a load touches in the block. */
function distinct(load: LoadShape, extents: ReadonlyMap<Axis, number>): number {
  let product = 1;
  for (const { index, linear, steps } of load.dims) {
    let moving = 0;
    let elements = 1;
    for (const axis of steps.keys()) {
      const extent = extents.get(axis) ?? 1;
      if (extent > 1) moving++;
      elements *= extent;
    }
    if (elements === 1) continue;
    if (moving <= 1 && linear) {
      product *= elements;
      continue;
    }
    if (!linear) {
      product *= (elements <= 256 && countValues(index, [...steps.keys()], extents)) || elements;
      continue;
    }
    let offsets = new Set([0]);
    for (const [axis, step] of steps) {
      const extent = extents.get(axis) ?? 1;
      if (extent === 1) continue;
      const next = new Set<number>();
      for (const offset of offsets) for (let i = 0; i < extent; i++) next.add(offset + i * step);
      offsets = next;
    }
    product *= offsets.size;
  }
  return product;
}

/** How many values an index has in a block that is not the first; undefined where only a run can tell. */
function countValues(
  index: Index,
  axes: readonly Axis[],
  extents: ReadonlyMap<Axis, number>,
): number | undefined {
  const found = new Set<number>();
  const position = new Map<Axis, number>();
  const visit = (i: number): boolean => {
    const axis = axes[i];
    if (!axis) {
      const value = indexAt(index, position);
      found.add(value);
      return !Number.isNaN(value);
    }
    const size = extents.get(axis) ?? 1;
    for (let at = size; at < 2 * size; at++) {
      position.set(axis, at);
      if (!visit(i + 1)) return false;
    }
    return true;
  };
  return visit(0) ? found.size : undefined;
}

/** An index at a position; NaN where it is computed. */
function indexAt(x: Index, position: ReadonlyMap<Axis, number>): number {
  switch (x.kind) {
    case 'dim':
      return nominalValue(x.dim);
    case 'axis':
      return position.get(x.axis)!;
    case 'value':
      return Number.NaN;
    case 'op': {
      const [a, b] = [indexAt(x.a, position), indexAt(x.b, position)];
      if (x.op === 'add') return a + b;
      if (x.op === 'mul') return a * b;
      if (x.op === 'floordiv') return Math.floor(a / b);
      if (x.op === 'mod') return a - b * Math.floor(a / b);
      return x.op === 'min' ? Math.min(a, b) : Math.max(a, b);
    }
  }
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
  { compute, loads, operations: each }: Subject,
  tile: ReadonlyMap<Axis, number>,
  unroll: ReadonlyMap<Axis, number>,
  price: Prices,
  shared?: ReadonlySet<Axis>,
): number {
  const extents = new Map([...tile, ...unroll]);
  let block = 1;
  let own = 1;
  let groups = 1;
  for (const axis of compute.axes) {
    const size = tile.get(axis) ?? 1;
    const count = Math.ceil(nominalValue(axis.extent) / size);
    block *= size;
    if (shared?.has(axis)) groups *= count;
    else own *= count;
  }
  const invocations = groups * (shared ? sharers * Math.ceil(own / sharers) : own);
  let taps = 1;
  let turns = 1;
  for (const axis of compute.reduce!.axes) {
    const size = unroll.get(axis) ?? 1;
    taps *= size;
    turns *= nominalValue(axis.extent) / size;
  }
  const isOwn = (axis: Axis): boolean => compute.axes.includes(axis) && !shared!.has(axis);
  // In numbers of loads and hand-overs.
  let loaded = 0;
  let handed = 0;
  let guards = 0;
  for (const load of loads) {
    const elements = distinct(load, extents);
    const isShared = shared && sharedAlong(load.places, extents) && ![...load.axes].some(isOwn);
    loaded += isShared ? elements / sharers : elements;
    if (isShared) handed += elements;
    if (load.guarded) guards += isShared ? elements / sharers : elements;
  }
  const parts = compute.reduce!.monoid.types.length;
  const count = block * taps * each;
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
