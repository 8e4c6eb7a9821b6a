import * as A from '../../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../../ir/compute.ts';
import { computeKey } from '../../../ir/compute-key.ts';
import * as D from '../../../ir/dim.ts';
import * as E from '../../../ir/expr.ts';
import { Recent } from '../../../support/recent.ts';
import { loadsOf } from '../../fuse/definition.ts';
import { nominalValue } from '../grid.ts';
import { operations } from '../operations.ts';
import type { LaneMapChoice } from './map.ts';
import { type LaneChoice, width } from './reduce.ts';

/** Nanoseconds of one thread. */
const price = {
  load: 0.17,
  far: 0.5,
  fetch: 0.1,
  cold: 0.4,
  gather: 1.6,
  arithmetic: 0.15,
  mask: 0.6,
  turn: 0.5,
  store: 0.3,
  tile: 6,
};

/** Accumulators that stay in registers, beside what they are made of. */
const registers = 8;

/** An access of memory as schedules see it. */
interface Access {
  readonly axes: ReadonlyMap<Axis, number>;
  /** Axes that its address knows in other ways than by a constant step. */
  readonly irregular: ReadonlySet<Axis>;
  /** Axes that tell whether it is inside. */
  readonly guards: ReadonlySet<Axis>;
  /** For each dim the axes that move along it, with their steps. */
  readonly dims: readonly ReadonlyMap<Axis, number>[];
}

function access(at: readonly Index[], shape: readonly D.Dim[], guards: ReadonlySet<Axis>): Access {
  const { axes, rest } = A.axisCoefficients(A.flatten(at, shape));
  const steps = new Map<Axis, number>();
  const irregular = new Set<Axis>();
  for (const [axis, step] of axes) steps.set(axis, nominalValue(step));
  E.visitIndex(rest, { axis: a => void irregular.add(a) });
  const dims = at.map(x => {
    const along = new Map<Axis, number>();
    E.visitIndex(x, { axis: a => void along.set(a, 1) });
    for (const [axis, step] of A.axisCoefficients(x).axes) along.set(axis, Math.abs(nominalValue(step)));
    return along;
  });
  return { axes: steps, irregular, guards, dims };
}

function axesOfGuard(e: Extract<Expr, { kind: 'load' }>): Set<Axis> {
  const axes = new Set<Axis>();
  if (e.guard) E.visitPredicate(e.guard, { axis: a => void axes.add(a) });
  return axes;
}

const loadAccesses = (compute: Compute, exprs: readonly Expr[]): Access[] => {
  const seen = new Set<string>();
  return loadsOf(exprs).flatMap(l => {
    const key = E.exprKey(l);
    if (seen.has(key)) return [];
    seen.add(key);
    return [access(l.at, compute.inputs[l.input]!.shape, axesOfGuard(l))];
  });
};

const storeAccesses = (compute: Compute): Access[] =>
  compute.outs.map(o => access(o.at ?? (o.keep ?? compute.axes).map(A.index), o.type.shape, new Set()));

/** What reading or writing a vector costs where `lane` runs over the lanes. */
function vectorPrice(a: Access, lane: Axis, one: number): number {
  const masked = a.guards.has(lane) ? price.mask * (a.guards.size > 0 ? 1 : 0) : 0;
  if (a.irregular.has(lane)) return price.gather + masked;
  const step = a.axes.get(lane) ?? 0;
  if (step === 0) return one + (masked > 0 ? price.gather : 0);
  return (step === 1 ? one : price.gather) + masked;
}

/** Whether vectors may run along an axis of the outputs: every output is stored at each of its points. */
const mayRun = (compute: Compute, axis: Axis): boolean =>
  compute.outs.every(o => !o.keep || o.keep.includes(axis));

const lanes = new Recent<{ readonly lane?: number; readonly elementTime: number }>(500);

/** The lane axis with the least time for an element. */
export function chooseLaneMap(compute: Compute): LaneMapChoice {
  const { lane, elementTime } = lanes.of(computeKey(compute), () => {
    let best: LaneMapChoice | undefined;
    for (const choice of allLaneMaps(compute))
      if (!best || choice.elementTime < best.elementTime) best = choice;
    const { lane, elementTime } = best!;
    return { elementTime, ...(lane && { lane: compute.axes.indexOf(lane) }) };
  });
  return lane === undefined ? { elementTime } : { lane: compute.axes[lane]!, elementTime };
}

/** No lanes, then each axis that may run over them. */
export function* allLaneMaps(compute: Compute): Generator<LaneMapChoice> {
  const accesses = [
    ...loadAccesses(
      compute,
      compute.outs.map(o => o.value),
    ),
    ...storeAccesses(compute),
  ];
  const work = compute.outs.reduce((n, o) => n + operations(o.value), 0);
  const scalar = accesses.length * price.load * 2 + work * price.arithmetic * 2;
  yield { elementTime: scalar };
  for (const lane of compute.axes) {
    const extent = D.constantValue(lane.extent);
    if ((extent !== undefined && extent < width) || !mayRun(compute, lane)) continue;
    const loads = accesses.reduce((n, a) => n + vectorPrice(a, lane, price.load), 0);
    const waste = extent === undefined ? 1 : 1 + (extent % width) / extent;
    const time =
      ((loads + work * price.arithmetic) / width) * waste + price.turn / Math.min(extent ?? 64, 1024);
    yield { lane, elementTime: time };
  }
}

/** A way to cut a reduction, and its estimated nanoseconds on one thread. */
export interface Ranked {
  readonly choice: LaneChoice;
  readonly time: number;
}

export const chooseLanes = (compute: Compute, inPlace: boolean): LaneChoice =>
  rankLanes(compute, inPlace).choice;

/** Equal works rank alike, and a deep net has many. */
const ranked = new Recent<{ readonly compute: Compute; readonly best: Ranked }>(500);

/** The tiles of vectors with the least estimated time. */
export function rankLanes(compute: Compute, inPlace: boolean): Ranked {
  const key = `${inPlace} ${computeKey(compute)}`;
  const known = ranked.of(key, () => ({ compute, best: rankLanesAnew(compute, inPlace) }));
  return { time: known.best.time, choice: choiceFor(compute, known.compute, known.best.choice) };
}

/** The choice for the same Compute over other axes. */
function choiceFor(compute: Compute, like: Compute, { lane, tile, order, ...rest }: LaneChoice): LaneChoice {
  const to = [...compute.axes, ...compute.reduce!.axes];
  const axes = new Map([...like.axes, ...like.reduce!.axes].map((a, i) => [a, to[i]!]));
  return {
    ...rest,
    ...(lane && { lane: axes.get(lane)! }),
    tile: new Map([...tile].map(([a, size]) => [axes.get(a)!, size])),
    order: order.map(a => axes.get(a)!),
  };
}

/** `rankLanes` of what is not asked for again. */
export function rankLanesAnew(compute: Compute, inPlace: boolean): Ranked {
  let best: Ranked | undefined;
  // Of equal ones those with more vectors in a row, which lie next to each other.
  const isBetter = (time: number, vectors: number): boolean =>
    !best || time < best.time * (vectors > best.choice.vectors ? 1.001 : 0.999);
  for (const found of allLanes(compute, inPlace, isBetter))
    if (isBetter(found.time, found.choice.vectors)) best = found;
  return best!;
}

/**
 * All that `rankLanes` ranks. Work done in place must not be done twice, so its tiles divide. Left out are those that
 * `mayPay` refuses by the least time that they could take.
 */
export function* allLanes(
  compute: Compute,
  inPlace: boolean,
  mayPay: (atLeast: number, vectors: number) => boolean = () => true,
): Generator<Ranked> {
  const reduce = compute.reduce!;
  const loads = loadAccesses(compute, reduce.lift);
  const lifts = reduce.lift.reduce((n, e) => n + operations(e), 0);
  const parts = reduce.monoid.types.length;
  const points = reduce.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const stores = storeAccesses(compute);

  const everywhere = (a: Axis): number => nominalValue(a.extent);
  const cold = loads.reduce((n, a) => n + price.cold * Math.max(0, footprint(a, everywhere) - third), 0);
  const inside = insideFraction(compute);
  const far = loads.map(a => (isFar(a, compute) ? price.far : 0));
  const candidates: (Axis | undefined)[] = [
    undefined,
    ...compute.axes.filter(a => fitsOutputs(compute, a, inPlace)),
    ...reduce.axes.filter(a => (D.constantValue(a.extent) ?? 1) % width === 0),
  ];
  for (const lane of candidates) {
    const isOuter = lane !== undefined && compute.axes.includes(lane);
    const one = loads.map((a, i) => (lane ? vectorPrice(a, lane, price.load) : price.load) + far[i]!);
    const store = stores.reduce(
      (n, a) => n + (isOuter ? vectorPrice(a, lane!, price.store) : price.store),
      0,
    );
    // Vectors that a guard goes through are computed whole; loops that it bounds are shorter.
    const isBounded = !lane || !loads.some(a => a.guards.has(lane));
    const steps = (points * (isBounded ? inside : 1)) / (lane && !isOuter ? width : 1);
    for (const { tile, vectors } of tiles(compute, loads, lane, isOuter, parts, inPlace)) {
      const cells = [...tile.values()].reduce((n, s) => n * s, 1) * vectors;
      const read = loads.reduce((n, a, i) => n + one[i]! * distinct(a, tile, lane, isOuter ? vectors : 1), 0);
      const turn = read + cells * (lifts + parts) * price.arithmetic + price.turn;
      const finish =
        price.tile + cells * store + (lane && !isOuter ? cells * parts * 6 * price.arithmetic : 0);
      const size = (a: Axis): number => (a === lane ? width * vectors : (tile.get(a) ?? 1));
      const count = compute.axes.reduce((n, a) => {
        const tiles = nominalValue(a.extent) / size(a);
        return n * (D.constantValue(a.extent) === undefined ? tiles : Math.ceil(tiles));
      }, 1);
      if (!mayPay(count * (steps * turn + finish) + cold, vectors)) continue;
      const { order, fetched, block } = bestOrder(compute, loads, size);
      const tileTime = steps * turn + finish + fetched * price.fetch;
      const time = count * tileTime + cold;
      const choice = { vectors, tile, order, tileTime, ...(block && !inPlace && { block }) };
      yield { choice: lane ? { ...choice, lane } : choice, time };
    }
  }
}

/** The part of a reduction's points that is inside: what its guards leave of the window around a border. */
function insideFraction({ reduce, inputs }: Compute): number {
  let least = 1;
  for (const load of loadsOf(reduce!.lift)) {
    if (!load.guard) continue;
    const { shape } = inputs[load.input]!;
    const part = load.at.reduce((n, x, d) => n * fractionWithin(x, nominalValue(shape[d]!)), 1);
    least = Math.min(least, part);
  }
  return least;
}

/** How often a sum of two axes lies in 0 .. extent - 1. */
function fractionWithin(x: Index, extent: number): number {
  const { axes, rest } = A.axisCoefficients(x);
  const offset = rest.kind === 'dim' ? D.constantValue(rest.dim) : undefined;
  const [a, b, more] = [...axes];
  if (offset === undefined || !a || !b || more) return 1;
  const [na, nb] = [nominalValue(a[0].extent), nominalValue(b[0].extent)];
  if (na * nb > 4096) return 1;
  let inside = 0;
  for (let i = 0; i < na; i++)
    for (let j = 0; j < nb; j++) {
      const at = offset + nominalValue(a[1]) * i + nominalValue(b[1]) * j;
      if (at >= 0 && at < extent) inside++;
    }
  return inside / (na * nb);
}

/** Whether every turn of the innermost loop reads another cache line, and so many that they do not stay near. */
function isFar(a: Access, { reduce }: Compute): boolean {
  const inner = reduce!.axes.findLast(x => !D.isConstant(x.extent, 1));
  return inner !== undefined && (a.axes.get(inner) ?? 0) >= 16 && nominalValue(inner.extent) >= 32;
}

function fitsOutputs(compute: Compute, axis: Axis, inPlace: boolean): boolean {
  const extent = D.constantValue(axis.extent);
  if (!mayRun(compute, axis)) return false;
  if (extent === undefined) return true;
  return extent >= width && (!inPlace || extent % width === 0);
}

/** Loads of a tile: as many as there are elements that it tells apart. */
function distinct(
  a: Access,
  tile: ReadonlyMap<Axis, number>,
  lane: Axis | undefined,
  vectors: number,
): number {
  let n = 1;
  for (const [axis, size] of tile) if (a.axes.has(axis) || a.irregular.has(axis)) n *= size;
  if (lane && vectors > 1 && (a.axes.has(lane) || a.irregular.has(lane))) n *= vectors;
  return n;
}

interface Tile {
  readonly tile: ReadonlyMap<Axis, number>;
  readonly vectors: number;
}

/** Tiles that fit the registers: up to two axes beside the lanes. What guards ask for is not cut, but stays a loop's end. */
function tiles(
  compute: Compute,
  loads: readonly Access[],
  lane: Axis | undefined,
  isOuter: boolean,
  parts: number,
  inPlace: boolean,
): Tile[] {
  const most = Math.max(1, Math.floor(registers / parts));
  const guarded = (a: Axis): boolean => loads.some(l => l.guards.has(a));
  const extentOfLane = lane && isOuter ? D.constantValue(lane.extent) : undefined;
  const vectorCounts = !isOuter
    ? [1]
    : [1, 2, 3, 4].filter(
        v =>
          v <= most &&
          (extentOfLane === undefined
            ? v <= 2
            : extentOfLane >= v * width && (!inPlace || extentOfLane % (v * width) === 0)),
      );
  const result: Tile[] = [];
  for (const vectors of vectorCounts) {
    let list: { map: Map<Axis, number>; size: number }[] = [{ map: new Map(), size: vectors }];
    for (const axis of compute.axes) {
      const extent = D.constantValue(axis.extent);
      if (axis === lane || extent === undefined || extent === 1 || guarded(axis)) continue;
      const sizes = [2, 3, 4, 5, 6, 8].filter(
        s => s <= extent && (extent % s === 0 || (!inPlace && extent > 2 * s)),
      );
      list = list.flatMap(({ map, size }) => [
        { map, size },
        ...(map.size < 2 ? sizes : [])
          .filter(s => size * s <= most)
          .map(s => ({ map: new Map([...map, [axis, s]]), size: size * s })),
      ]);
    }
    result.push(...list.map(({ map }) => ({ tile: map, vectors })));
  }
  return result;
}

/** Elements that an access touches where axes run over so many points. */
function footprint(a: Access, points: (axis: Axis) => number): number {
  return a.dims.reduce((n, along) => {
    let [reach, all] = [1, 1];
    for (const [axis, step] of along) {
      reach += step * (points(axis) - 1);
      all *= points(axis);
    }
    return n * Math.min(reach, all);
  }, 1);
}

/** What stays in the first cache from tile to tile, and in the second from one round of the innermost loop to the next. */
const near = 6000;
const second = 40_000;
/** What comes from memory every time. */
const third = 400_000;

/**
 * The order of the loops over tiles that reads least from afar, and what a tile then reads: as the axes stand, but for the
 * innermost one. What does not depend on that stays near, if it is small enough.
 */
function bestOrder(
  compute: Compute,
  loads: readonly Access[],
  size: (axis: Axis) => number,
): { readonly order: readonly Axis[]; readonly fetched: number; readonly block?: number } {
  const inReduction = new Set(compute.reduce!.axes);
  const points = (a: Axis): number => (inReduction.has(a) ? nominalValue(a.extent) : size(a));
  const sizes = loads.map(a => footprint(a, points));
  const loops = compute.axes.filter(a => nominalValue(a.extent) > size(a));
  const fetchedBy = (inner: Axis | undefined): number =>
    loads.reduce((n, a, i) => {
      const moves = inner === undefined || a.dims.some(d => d.has(inner));
      return n + (!moves && sizes[i]! <= near ? 0 : sizes[i]!);
    }, 0);
  let best = { inner: loops.at(-1), fetched: fetchedBy(loops.at(-1)) };
  for (const inner of loops) {
    const fetched = fetchedBy(inner);
    if (fetched < 0.8 * best.fetched) best = { inner, fetched };
  }
  const { inner, fetched } = best;
  if (!inner) return { order: compute.axes, fetched };
  const order = [...compute.axes.filter(a => a !== inner), inner];
  const moving = loads.reduce((n, a, i) => n + (a.dims.some(d => d.has(inner)) ? sizes[i]! : 0), 0);
  const most = Math.max(1, Math.floor(second / moving));
  const tiles = Math.ceil(nominalValue(inner.extent) / size(inner));
  return tiles > 1.5 * most && order.length > 1 ? { order, fetched, block: most } : { order, fetched };
}
