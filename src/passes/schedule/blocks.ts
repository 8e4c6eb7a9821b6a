import type { Axis, Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Target } from '../../ir/target.ts';
import { blockTime, leastTime } from './block-time.ts';
import { type FillOrder, readsOf } from './fill.ts';
import { nominalValue } from './grid.ts';
import type { Product } from './product.ts';

/** What a workgroup and its invocations make, and how. */
export interface BlockChoice {
  /** The block of one workgroup, and how many points of the reduction a slice of it has. */
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** The block of one invocation. */
  readonly perRow: number;
  readonly perColumn: number;
  /** Four at a time, out of memory and out of workgroup memory. */
  readonly vectors: boolean;
  /** The next slice is loaded while one is multiplied. */
  readonly ahead: boolean;
  /** Elements between the lines of what is turned on its way, so that they begin in different banks. */
  readonly pad: number;
  /** Parts of the reduction, of which each has workgroups of its own; 1 where there is no second pass. */
  readonly pieces: number;
}

export const invocations = (c: Pick<BlockChoice, 'rows' | 'columns' | 'perRow' | 'perColumn'>): number =>
  (c.rows / c.perRow) * (c.columns / c.perColumn);

/** `workgroup 64x64x16 block 4x4 vectors ahead pad split 8` */
export function blockText(c: BlockChoice): string {
  return [
    `workgroup ${c.rows}x${c.columns}x${c.depth} block ${c.perRow}x${c.perColumn}`,
    ...(c.vectors ? ['vectors'] : []),
    ...(c.ahead ? ['ahead'] : []),
    ...(c.pad > 0 ? ['pad'] : []),
    ...(c.pieces > 1 ? [`split ${c.pieces}`] : []),
  ].join(' ');
}

interface Orders {
  readonly left: FillOrder;
  readonly right: FillOrder;
}

/** Elements from one point of the reduction to the next in workgroup memory. */
export const pitchesOf = (
  c: Pick<BlockChoice, 'rows' | 'columns' | 'pad'>,
  { left, right }: Orders,
): { readonly left: number; readonly right: number } => ({
  left: c.rows + (left.alongDepth ? c.pad : 0),
  right: c.columns + (right.alongDepth ? c.pad : 0),
});

/** A product with everything about it that does not change from choice to choice, in nominal numbers. */
export interface ProductShape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batch: number;
  /** Bytes of an element in workgroup memory, and whether some of it is read under conditions. */
  readonly bytes: number;
  readonly guarded: boolean;
  /** Long sums have accumulators of their own for a block of terms. */
  readonly long: boolean;
  readonly orders: { readonly scalars: Orders; readonly vectors: Orders };
  /** The axis of the reduction that is split. */
  readonly along: Axis;
}

const points = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * nominalValue(a.extent), 1);

export function shapeOf(
  compute: Compute,
  p: Product,
  orders: ProductShape['orders'],
  facts: Pick<ProductShape, 'bytes' | 'guarded' | 'long'>,
): ProductShape {
  const { axes } = compute.reduce!;
  const [along] = [...axes].sort((a, b) => nominalValue(b.extent) - nominalValue(a.extent));
  return {
    rows: points(p.rows),
    columns: points(p.columns),
    depth: points(axes),
    batch: points(p.batch),
    along: along!,
    orders,
    ...facts,
  };
}

/** Whether workgroups pay at all: below, tiles in registers do as well. */
export const isLarge = ({ rows, columns, depth }: ProductShape): boolean =>
  rows >= 16 && columns >= 16 && depth >= 16 && rows * columns * depth >= 2 ** 17;

const sides = [16, 32, 64, 128, 256];
const depths = [4, 8, 16, 32];
const blocks = {
  scalars: [
    [2, 2],
    [4, 2],
    [2, 4],
    [4, 4],
    [8, 4],
    [4, 8],
    [8, 8],
  ],
  vectors: [
    [4, 4],
    [8, 4],
    [4, 8],
    [8, 8],
    [16, 4],
    [4, 16],
  ],
} as const;
const parts = [1, 2, 4, 8, 16, 32, 64, 128];

/** The shortest reduction that is worth a workgroup of its own. */
const shortest = 128;

/** Statements that an invocation is written out to fill workgroup memory: reads, and stores of what is turned one by one. */
function fillStatements(c: Omit<BlockChoice, 'pieces'>, { orders: all }: ProductShape): number {
  const { left, right } = c.vectors ? all.vectors : all.scalars;
  const threads = invocations(c);
  const side = (width: number, order: FillOrder): number =>
    readsOf(width, c.depth, threads, order) * (order.fours && order.alongDepth ? 5 : 2);
  return (side(c.rows, left) + side(c.columns, right)) * (c.ahead ? 2 : 1);
}

export interface RankedBlock {
  readonly choice: BlockChoice;
  readonly time: number;
}

type Limits = Pick<Target, 'maxComputeInvocationsPerWorkgroup' | 'maxComputeWorkgroupStorageSize'>;

/** Every block that the target and the shape allow, with its estimate, in no order. */
export function* blockChoices(shape: ProductShape, target: Limits): Generator<RankedBlock> {
  for (const sides of blockSides(shape, target))
    for (const block of wholeBlocks(sides, shape, target)) {
      const time = blockTime(block, shape);
      for (const pieces of sides.ways) yield { choice: { ...block, pieces }, time: time(pieces) };
    }
}

/** What a second pass must save at least, by estimates that know nothing of how a grid ends. */
const worthSplitting = 1.2;

/** More than this to fill workgroup memory make kernels that take long to load and to compile, for what only a measurement can show to pay. */
const mostStatements = 24;

/**
 * Of `blockChoices` the one with the least estimated time, the first of those. Sides that bound it from below are looked
 * at in the order of that bound, and none once it is above the best.
 */
export function bestBlock(shape: ProductShape, target: Limits): RankedBlock | undefined {
  let best: RankedBlock | undefined;
  let least = Number.POSITIVE_INFINITY;
  let bestAt = -1;
  const ranked = blockSides(shape, target).map((sides, at) => ({
    sides,
    at,
    // The margin is for rounding.
    bound: leastTime(sides, shape) * (1 - 1e-9),
  }));
  for (const { sides, at, bound } of ranked.sort((a, b) => a.bound - b.bound)) {
    if (bound > least) break;
    for (const block of wholeBlocks(sides, shape, target)) {
      if (fillStatements(block, shape) > mostStatements) continue;
      const estimate = blockTime(block, shape);
      for (const pieces of sides.ways) {
        const time = estimate(pieces);
        const counted = time * (pieces > 1 ? worthSplitting : 1);
        if (counted > least || (counted === least && at >= bestAt)) continue;
        least = counted;
        bestAt = at;
        best = { choice: { ...block, pieces }, time };
      }
    }
  }
  return best;
}

/** Blocks of a workgroup and of an invocation, and into how many parts the reduction may be cut for them. */
interface BlockSides extends Pick<BlockChoice, 'rows' | 'columns' | 'perRow' | 'perColumn' | 'vectors'> {
  readonly ways: readonly number[];
}

function blockSides(shape: ProductShape, target: Limits): BlockSides[] {
  if (shape.rows < 4 || shape.columns < 4 || shape.depth < 4) return [];
  const heights = sides.filter(s => fitsSide(s, shape.rows));
  const widths = sides.filter(s => fitsSide(s, shape.columns));
  const found: BlockSides[] = [];
  for (const vectors of [false, true]) {
    const all = parts.filter(n => fitsParts(n, vectors, shape));
    for (const [perRow, perColumn] of vectors ? blocks.vectors : blocks.scalars)
      for (const rows of heights)
        for (const columns of widths) {
          const threads = (rows / perRow) * (columns / perColumn);
          if (threads < 32 || threads > target.maxComputeInvocationsPerWorkgroup) continue;
          const tiles = Math.ceil(shape.rows / rows) * Math.ceil(shape.columns / columns) * shape.batch;
          const ways = all.filter(n => n === 1 || tiles * n <= plenty);
          found.push({ rows, columns, perRow, perColumn, vectors, ways });
        }
  }
  return found;
}

/** All that may be made of them. */
function* wholeBlocks(
  { rows, columns, perRow, perColumn, vectors }: BlockSides,
  shape: ProductShape,
  target: Limits,
): Generator<Omit<BlockChoice, 'pieces'>> {
  for (const depth of depths)
    for (const ahead of [false, true]) {
      const base = { rows, columns, depth, perRow, perColumn, vectors, ahead };
      for (const pad of paddings(base, shape, target)) yield { ...base, pad };
    }
}

/** So many workgroups keep every GPU busy: nothing is split any further. */
const plenty = 4096;

/** No block is more than twice as wide as what there is. */
const fitsSide = (size: number, extent: number): boolean => size === sides[0] || size < 2 * extent;

/** Parts long enough to be worth it; where fours lie along what is split, they stay whole. */
function fitsParts(n: number, vectors: boolean, { depth, along, orders }: ProductShape): boolean {
  if (n === 1) return true;
  const { left, right } = orders[vectors ? 'vectors' : 'scalars'];
  const inFours = [left, right].some(o => o.alongDepth && o.fours?.includes(along));
  return (
    n <= nominalValue(along.extent) &&
    depth / n >= shortest &&
    (!inFours || D.divideExact(along.extent, D.constant(4 * n)) !== undefined)
  );
}

/** Whether an invocation can do so many for a slice. */
const areReads = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= 16;

/** Whether a block can be made at all, with and without padding; padding alone where there is something to pad. */
function paddings(
  base: Omit<BlockChoice, 'pad' | 'pieces'>,
  { orders: all, bytes }: ProductShape,
  target: Limits,
): number[] {
  const { rows, columns, depth, perRow, perColumn, vectors, ahead } = base;
  const orders = vectors ? all.vectors : all.scalars;
  const threads = (rows / perRow) * (columns / perColumn);
  if (!Number.isInteger(threads)) return [];
  if (!areReads(readsOf(rows, depth, threads, orders.left))) return [];
  if (!areReads(readsOf(columns, depth, threads, orders.right))) return [];
  const turned = orders.left.alongDepth || orders.right.alongDepth;
  return (turned ? [vectors ? 4 : 1, 0] : [0]).filter(pad => {
    const { left, right } = pitchesOf({ rows, columns, pad }, orders);
    return (ahead ? 2 : 1) * depth * (left + right) * bytes <= target.maxComputeWorkgroupStorageSize;
  });
}
