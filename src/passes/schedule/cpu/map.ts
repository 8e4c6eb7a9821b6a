import * as A from '../../../ir/affine.ts';
import type { Axis, Compute, Index } from '../../../ir/compute.ts';
import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import type { KExpr } from '../../../ir/kernel.ts';
import type { Work } from '../../../ir/program.ts';
import type { Emitter } from '../emitter.ts';
import type { Tiled } from '../grid.ts';
import * as K from '../kexpr.ts';
import { storeAll } from '../tile.ts';
import { overGroups } from './groups.ts';
import { width } from './reduce.ts';

/** How elementwise work is cut for a CPU. */
export interface LaneMapChoice {
  /** The axis that runs over lanes; absent: scalars. */
  readonly lane?: Axis;
  /** Estimated nanoseconds of an element. */
  readonly elementTime: number;
}

/** Elements that a block of the lane axis has, so that its loop's overhead does not count. */
const block = 1024;

/**
 * Elementwise work: loops over all axes, the lane axis innermost, in vectors and then what is left one by one.
 */
export function emitLaneMap(emitter: Emitter, work: Work, compute: Compute, choice: LaneMapChoice): Dim {
  const { lane, elementTime } = choice;
  const others = compute.axes.filter(a => a !== lane);
  const tiles = others.map((axis): Tiled => ({ axis, size: 1, counter: axis, base: A.index(axis) }));
  const element = (position: ReadonlyMap<Axis, Index>): void =>
    storeAll(emitter, work, compute.outs, compute.axes, { axis: a => position.get(a) ?? A.index(a) });
  if (!lane) return overGroups(emitter, tiles, elementTime, () => element(new Map()));

  const extent = D.constantValue(lane.extent);
  const isCut = extent === undefined || extent > 2 * block;
  const counter: Axis = {
    name: `${lane.name}_block`,
    extent: isCut ? D.floorDiv(D.add(lane.extent, D.constant(block - 1)), D.constant(block)) : D.constant(1),
  };
  const blocks: Tiled = { axis: lane, size: block, counter, base: A.mul(counter, block) };
  const inBlock = Math.min(extent ?? block, block);
  const all = isCut ? [...tiles, blocks] : tiles;
  return overGroups(emitter, all, elementTime * (isCut ? inBlock : extent!), () => {
    const from = isCut ? emitter.bind('from', emitter.index(blocks.base)) : K.int(0);
    const whole = emitter.dim(lane.extent);
    const isEven = isCut && D.divideExact(lane.extent, D.constant(block));
    const ends = K.sum([from, K.int(block)]);
    const to = !isCut ? whole : isEven ? ends : emitter.bind('to', K.binary('min', ends, whole));
    lanesAndRest(emitter, lane, from, to, element);
  });
}

function lanesAndRest(
  emitter: Emitter,
  lane: Axis,
  from: KExpr,
  to: KExpr,
  element: (position: ReadonlyMap<Axis, Index>) => void,
): void {
  const loop = (name: string, start: KExpr, end: KExpr, step: number, body: (base: Axis) => void): void => {
    const base: Axis = { name: lane.name, extent: lane.extent };
    emitter.setAxis(base, K.ref(name));
    emitter.push({
      kind: 'for',
      name,
      from: start,
      to: end,
      step,
      body: emitter.block(() => body(base), name),
    });
  };
  const length = K.sum([to, K.scale(from, -1)]);
  const isWhole = length.kind === 'const' ? length.value % width === 0 : isEven(lane, from, to);
  const vectors = K.binary('mul', K.binary('floordiv', length, K.int(width)), K.int(width));
  const end = isWhole ? to : emitter.bind('vectors', K.sum([from, vectors]));
  loop(emitter.name(lane.name), from, end, width, base => {
    const lanes: Axis = { name: 'lane', extent: D.constant(width) };
    emitter.withLanes(lanes, width, () => element(new Map([[lane, A.add(base, lanes)]])));
  });
  if (isWhole) return;
  loop(emitter.name(lane.name), end, to, 1, base => element(new Map([[lane, A.index(base)]])));
}

/** Blocks begin at multiples of the width, so only the extent's own end can leave a rest. */
function isEven(lane: Axis, from: KExpr, to: KExpr): boolean {
  return D.divideExact(lane.extent, D.constant(width)) !== undefined && from !== to;
}
