import type { Axis, Compute } from '../../ir/compute.ts';
import type { KernelSchedule, TileSide } from '../../ir/kernel.ts';
import type { BlockChoice } from './blocks.ts';
import type { LaneMapChoice } from './cpu/map.ts';
import { type LaneChoice, width } from './cpu/reduce.ts';
import type { MapChoice } from './map.ts';
import type { MatrixChoice } from './matrix-choice.ts';
import type { Product } from './product.ts';
import type { TileChoice } from './tile.ts';

/** What a choice comes to, in the words of docs/architecture.md. */
export type Description = Pick<KernelSchedule, 'name' | 'tile' | 'unroll' | 'workgroup'>;

const sides = (axes: readonly Axis[], sizes: ReadonlyMap<Axis, number>): TileSide[] =>
  axes.flatMap(a => ((sizes.get(a) ?? 1) > 1 ? [{ axis: a.name, size: sizes.get(a)! }] : []));

export const describeMap = ({ perInvocation }: MapChoice): Description => ({
  name: 'map',
  tile: perInvocation > 1 ? [{ axis: 'i', size: perInvocation }] : [],
  unroll: [],
});

export const describeTiles = (
  { axes, reduce }: Compute,
  { tile, unroll, shared }: TileChoice,
): Description => ({
  name: !reduce ? 'map' : shared ? 'shared loads' : 'register tiles',
  tile: sides(axes, tile),
  unroll: sides(reduce?.axes ?? [], unroll),
});

/** Axes that count as one. */
const side = (axes: readonly Axis[], size: number): TileSide => ({
  axis: axes.map(a => a.name).join('·'),
  size,
});

export const describeMatrices = (
  { reduce }: Compute,
  { rows, columns }: Product,
  c: MatrixChoice,
): Description => ({
  name: c.parts.left + c.parts.right > 2 ? 'subgroup matrices, split' : 'subgroup matrices',
  tile: [side(rows, c.subgroupRows), side(columns, c.subgroupColumns)],
  unroll: [side(reduce!.axes, c.depth)],
  workgroup: [side(rows, c.rows), side(columns, c.columns)],
});

export function describeBlock({ reduce }: Compute, { rows, columns }: Product, b: BlockChoice): Description {
  return {
    name: 'workgroup tiles',
    tile: [side(rows, b.perRow), side(columns, b.perColumn)],
    unroll: [side(reduce!.axes, b.depth)],
    workgroup: [side(rows, b.rows), side(columns, b.columns)],
  };
}

export const describeLaneMap = ({ lane }: LaneMapChoice): Description => ({
  name: lane ? 'vector map' : 'scalar map',
  tile: lane ? [{ axis: lane.name, size: width, lanes: width }] : [],
  unroll: [],
});

export function describeLanes({ axes }: Compute, { lane, vectors, tile }: LaneChoice): Description {
  const isOuter = lane !== undefined && axes.includes(lane);
  return {
    name: lane ? 'vector tiles' : 'scalar tiles',
    tile: axes.flatMap((a): TileSide[] =>
      a === lane ? [{ axis: a.name, size: width * vectors, lanes: width }] : sides([a], tile),
    ),
    unroll: lane && !isOuter ? [{ axis: lane.name, size: width, lanes: width }] : [],
  };
}
