import * as A from '../../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out } from '../../../ir/compute.ts';
import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import * as E from '../../../ir/expr.ts';
import type { KExpr } from '../../../ir/kernel.ts';
import { comparisonKey } from '../../../ir/predicate.ts';
import type { Work } from '../../../ir/program.ts';
import { loadsOf } from '../../fuse/definition.ts';
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
  const elementOf =
    (outs: readonly Out[]): Element =>
    position =>
      storeAll(emitter, work, outs, compute.axes, { axis: a => position.get(a) ?? A.index(a) });
  const element = elementOf(compute.outs);
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
    const interior = isCut ? undefined : interiorOf(compute, lane);
    if (!interior) return lanesAndRest(emitter, lane, from, to, element);
    const [lo, hi] = [K.int(interior.from), K.int(interior.to)];
    oneByOne(emitter, lane, from, lo, element);
    lanesAndRest(emitter, lane, lo, hi, elementOf(interior.outs));
    oneByOne(emitter, lane, hi, to, element);
  });
}

type Element = (position: ReadonlyMap<Axis, Index>) => void;

/** Where along the lane axis all guards that know it hold, and what is left of the expressions there. */
interface Interior {
  readonly from: number;
  readonly to: number;
  readonly outs: readonly Out[];
}

/** What lies inside of a border takes no masks. */
function interiorOf({ outs }: Compute, lane: Axis): Interior | undefined {
  let [from, to] = [0, D.constantValue(lane.extent)!];
  const held = new Set<string>();
  for (const { guard = [] } of loadsOf(outs.map(o => o.value)))
    for (const c of guard) {
      const { axes, rest } = A.axisCoefficients(A.sub(c.a, c.b));
      const offset = rest.kind === 'dim' ? D.constantValue(rest.dim) : undefined;
      const step = axes.get(lane) && D.constantValue(axes.get(lane)!);
      if (offset === undefined || axes.size !== 1 || c.op === 'eq' || (step !== 1 && step !== -1)) continue;
      // step * lane + offset < 0, or <= 0.
      const last = c.op === 'lt' ? 1 : 0;
      if (step === 1) to = Math.min(to, 1 - offset - last);
      else from = Math.max(from, offset + last);
      held.add(comparisonKey(c));
    }
  if (held.size === 0 || to - from < 2 * width) return undefined;
  const load = (l: Extract<Expr, { kind: 'load' }>): Expr => {
    const guard = (l.guard ?? []).filter(c => !held.has(comparisonKey(c)));
    return E.load(l.input, { dtype: l.dtype, shape: [] }, l.at, guard, l.fill ?? 0);
  };
  return { from, to, outs: outs.map(o => ({ ...o, value: E.mapExpr(o.value, { load }) })) };
}

function lanesAndRest(emitter: Emitter, lane: Axis, from: KExpr, to: KExpr, element: Element): void {
  const length = K.sum([to, K.scale(from, -1)]);
  const isWhole = length.kind === 'const' ? length.value % width === 0 : isEven(lane, from, to);
  const vectors = K.binary('mul', K.binary('floordiv', length, K.int(width)), K.int(width));
  const end = isWhole ? to : emitter.bind('vectors', K.sum([from, vectors]));
  loop(emitter, lane, from, end, width, base => {
    const lanes: Axis = { name: 'lane', extent: D.constant(width) };
    emitter.withLanes(lanes, width, () => element(new Map([[lane, A.add(base, lanes)]])));
  });
  if (!isWhole) oneByOne(emitter, lane, end, to, element);
}

function oneByOne(emitter: Emitter, lane: Axis, from: KExpr, to: KExpr, element: Element): void {
  if (from.kind === 'const' && to.kind === 'const' && from.value >= to.value) return;
  loop(emitter, lane, from, to, 1, base => element(new Map([[lane, A.index(base)]])));
}

function loop(
  emitter: Emitter,
  lane: Axis,
  from: KExpr,
  to: KExpr,
  step: number,
  body: (base: Axis) => void,
): void {
  const name = emitter.name(lane.name);
  const base: Axis = { name: lane.name, extent: lane.extent };
  emitter.setAxis(base, K.ref(name));
  const inner = emitter.block(() => body(base), name);
  emitter.push({ kind: 'for', name, from, to, step, body: inner });
}

/** Blocks begin at multiples of the width, so only the extent's own end can leave a rest. */
function isEven(lane: Axis, from: KExpr, to: KExpr): boolean {
  return D.divideExact(lane.extent, D.constant(width)) !== undefined && from !== to;
}
