import type { Axis, Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Target } from '../../ir/target.ts';
import { prices } from '../prices.ts';
import { estimate, estimateMap, mapSubject, type Subject, subject } from './cost.ts';
import { nominalValue } from './grid.ts';
import type { MapChoice } from './map.ts';
import { sharers } from './share.ts';
import type { TileChoice } from './tile.ts';

/** Most multiply-adds of straight-line code, and accumulators, in one kernel. */
const limits = {
  software: { code: 480, block: 32 },
  /** `software` where lanes share loads. */
  shared: { code: 1200, block: 256 },
  gpu: { code: 64, block: 16 },
  cpu: { code: 64, block: 8 },
} as const;

export interface Choice {
  readonly tiles: TileChoice;
  readonly time: number;
  readonly invocations: number;
}

/** Register tiles with their estimate, before workgroups are made of them. */
interface RankedTiles {
  readonly tile: ReadonlyMap<Axis, number>;
  readonly unroll: ReadonlyMap<Axis, number>;
  readonly shared: ReadonlySet<Axis> | undefined;
  readonly time: number;
}

/** All register tiles that a target allows, in no order. Work done in place must not be done twice, so its tiles divide. */
function* rankedTiles(compute: Compute, target: Target, inPlace: boolean): Generator<RankedTiles> {
  const price = prices[target.kind];
  const facts = subject(compute);
  const reductions = unrolls(compute.reduce!.axes);
  const ways = [
    { most: limits[target.kind], shared: undefined },
    ...(target.features.has('subgroups')
      ? sharedAxes(facts).map(shared => ({ most: limits.shared, shared }))
      : []),
  ];
  for (const { most, shared } of ways) {
    const blocks = tiles(compute.axes, most.block, inPlace);
    for (const { unroll, points } of reductions)
      for (const { tile, size } of blocks) {
        if (size * points * facts.operations > most.code && size * points > 1) continue;
        yield { tile, unroll, shared, time: estimate(facts, tile, unroll, price, shared) };
      }
  }
}

function asChoice(compute: Compute, target: Target, { tile, unroll, shared, time }: RankedTiles): Choice {
  const invocations = invocationsOf(compute, tile);
  if (shared) return { tiles: { tile, unroll, shared, workgroupSize: sharers }, time, invocations };
  return { tiles: { tile, unroll, workgroupSize: workgroupSize(invocations, target) }, time, invocations };
}

/** The register tiles with the least estimated time. */
export function chooseTiles(compute: Compute, target: Target, inPlace = false): Choice {
  let best: RankedTiles | undefined;
  for (const found of rankedTiles(compute, target, inPlace))
    if (!best || found.time < best.time) best = found;
  return asChoice(compute, target, best!);
}

/** All that `chooseTiles` chooses from. */
export function* allTiles(compute: Compute, target: Target, inPlace: boolean): Generator<Choice> {
  for (const found of rankedTiles(compute, target, inPlace)) yield asChoice(compute, target, found);
}

/** The sets of axes of which lanes may have the same point, so that they share a load: those of one load each. */
function sharedAxes({ compute, loads }: Subject): ReadonlySet<Axis>[] {
  const found = new Map<string, ReadonlySet<Axis>>();
  for (const { dims } of loads)
    for (const onlyLinear of [false, true]) {
      const moved = new Set(dims.flatMap(d => (onlyLinear && !d.isLinear ? [] : d.axes)));
      const shared = compute.axes.filter(a => moved.has(a));
      const own = compute.axes.filter(a => !moved.has(a));
      if (own.reduce((n, a) => n * nominalValue(a.extent), 1) < sharers) continue;
      found.set(shared.map(a => compute.axes.indexOf(a)).join(), new Set(shared));
    }
  return [...found.values()];
}

/** Small grids get small workgroups, so that every core has some. */
function workgroupSize(invocations: number, target: Target): number {
  if (target.kind === 'cpu') return 1;
  if (target.kind === 'gpu') return 64;
  let size = 64;
  while (size > 4 && invocations / size < 8) size /= 2;
  return size;
}

interface Unrolled {
  readonly unroll: Map<Axis, number>;
  readonly points: number;
}

/** Ways to unroll the reduction: short axes wholly, from the innermost outwards; the next one by a divisor. */
function unrolls(axes: readonly Axis[]): Unrolled[] {
  const result: Unrolled[] = [{ unroll: new Map(), points: 1 }];
  for (const axis of [...axes].reverse()) {
    const extent = D.constantValue(axis.extent);
    if (extent === undefined || extent <= 1) continue;
    const { unroll, points } = result.at(-1)!;
    const by = (n: number): Unrolled => ({ unroll: new Map([...unroll, [axis, n]]), points: points * n });
    for (const part of [2, 3, 4, 5, 7, 8])
      if (extent % part === 0 && extent > part && points * part <= 64) result.push(by(part));
    if (points * extent > 64) break;
    result.push(by(extent));
  }
  return result;
}

interface Block {
  readonly tile: Map<Axis, number>;
  readonly size: number;
}

/** Block shapes: every axis of constant extent by a few sizes, at most `most` outputs. */
function tiles(axes: readonly Axis[], most: number, inPlace: boolean): Block[] {
  let list: Block[] = [{ tile: new Map(), size: 1 }];
  for (const axis of axes) {
    const extent = D.constantValue(axis.extent);
    if (extent === undefined || extent <= 1) continue;
    const sizes = [2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16].filter(
      s => s <= extent && (extent % s === 0 || (!inPlace && ((extent > 4 * s && s >= 4) || extent < 2 * s))),
    );
    if (extent <= most && !sizes.includes(extent)) sizes.push(extent);
    list = list.flatMap(({ tile, size }) => [
      { tile, size },
      ...sizes
        .filter(s => size * s <= most)
        .map(s => ({ tile: new Map([...tile, [axis, s]]), size: size * s })),
    ]);
  }
  return list;
}

/** Most outputs of a map that one invocation makes. */
const mapOutputs = 16;

/** Tiles for a work without a reduction where indices are dear; undefined where one element after the other does as well. */
export function chooseMapTiles(compute: Compute, target: Target, inPlace: boolean): Choice | undefined {
  let best: Choice | undefined;
  for (const found of allMapTiles(compute, target, inPlace))
    if (!best || found.time < best.time) best = found;
  const size = [...(best?.tiles.tile.values() ?? [])].reduce((n, s) => n * s, 1);
  return size < 4 ? undefined : best;
}

/** All that `chooseMapTiles` chooses from. */
export function* allMapTiles(compute: Compute, target: Target, inPlace: boolean): Generator<Choice> {
  if (target.kind !== 'software') return;
  const facts = mapSubject(compute);
  const price = prices[target.kind];
  for (const { tile, size } of tiles(compute.axes, mapOutputs, inPlace)) {
    if (size > 1 && size * compute.outs.length > 3 * mapOutputs) continue;
    const time = estimateMap(facts, tile, price);
    yield asChoice(compute, target, { tile, unroll: new Map(), shared: undefined, time });
  }
}

const invocationsOf = ({ axes }: Compute, tile: ReadonlyMap<Axis, number>): number =>
  axes.reduce((n, a) => n * Math.ceil(nominalValue(a.extent) / (tile.get(a) ?? 1)), 1);

export function chooseMap(compute: Compute, target: Target): MapChoice {
  const total = compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  if (target.kind === 'cpu')
    return { perInvocation: Math.min(4096, Math.ceil(total / 16)) || 1, workgroupSize: 1 };
  if (target.kind === 'gpu')
    return { perInvocation: 1, workgroupSize: Math.min(64, target.maxComputeInvocationsPerWorkgroup) };
  const most = 16 / compute.outs.length;
  const perInvocation = [16, 8, 4, 2].find(n => n <= most && total / (64 * n) >= 8) ?? 1;
  const size = perInvocation > 1 || total >= 512 ? 64 : total >= 64 ? 16 : 4;
  return { perInvocation, workgroupSize: size };
}

/** A reduction in so many parts along an axis, and the estimate of both passes. */
export interface Split {
  readonly along: Axis;
  readonly pieces: number;
  readonly time: number;
}

/** The parts into which a reduction with too few outputs is split; undefined where it does not pay. */
export function chooseSplit(compute: Compute, target: Target, whole: Choice): Split | undefined {
  if (whole.invocations >= 2 * prices[target.kind].lanes) return undefined;
  let best: Split | undefined;
  for (const split of allSplits(compute, target)) if (!best || split.time < best.time) best = split;
  return best && best.time < 0.7 * whole.time ? best : undefined;
}

/** All that `chooseSplit` chooses from. */
export function* allSplits(compute: Compute, target: Target): Generator<Split> {
  const reduce = compute.reduce!;
  const price = prices[target.kind];
  const outputs = compute.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const [along] = [...reduce.axes].sort((a, b) => nominalValue(b.extent) - nominalValue(a.extent));
  if (!along) return;
  const points = reduce.axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  for (const pieces of [2, 4, 8, 16, 32, 64]) {
    if (pieces * 2 > nominalValue(along.extent) || points / pieces < 32) break;
    const z: Axis = { name: 'z', extent: D.constant(pieces) };
    const part: Axis = {
      name: along.name,
      extent: D.constant(Math.ceil(nominalValue(along.extent) / pieces)),
    };
    const split: Compute = {
      ...compute,
      axes: [z, ...compute.axes],
      reduce: { ...reduce, axes: reduce.axes.map(a => (a === along ? part : a)) },
    };
    const { time } = chooseTiles(split, target);
    const finish =
      price.dispatch + (Math.max(outputs, price.lanes) / price.lanes) * pieces * (price.load + price.update);
    yield { along, pieces, time: time + finish };
  }
}
