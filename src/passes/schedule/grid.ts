import * as A from '../../ir/affine.ts';
import type { Axis, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { KExpr, Stmt } from '../../ir/kernel.ts';
import { nominal } from '../prices.ts';
import type { Emitter } from './emitter.ts';
import * as K from './kexpr.ts';

/** What stands for every free dim in estimates. */
export const nominalSizes = new Proxy({} as Record<string, number>, { get: () => nominal });

export function nominalValue(d: Dim): number {
  return D.constantValue(d) ?? D.evaluate(d, nominalSizes);
}

/** One axis cut into tiles: where a tile starts, and how many there are. */
export interface Tiled {
  readonly axis: Axis;
  readonly size: number;
  /** Counts tiles; its value is given by the grid. */
  readonly counter: Axis;
  readonly base: Index;
  /** Where tiles do not divide the extent, the last one is moved back and overlaps its neighbour: both write the same values. */
  readonly last?: number;
}

export function tileAxis(axis: Axis, size: number): Tiled {
  if (size === 1) return { axis, size, counter: axis, base: A.index(axis) };
  const extent = D.constantValue(axis.extent)!;
  const counter: Axis = { name: `${axis.name}_tile`, extent: D.constant(Math.ceil(extent / size)) };
  if (extent % size === 0) return { axis, size, counter, base: A.mul(counter, size) };
  const start: Axis = { name: axis.name, extent: D.constant(extent - size + 1) };
  return { axis, size, counter, base: A.index(start), last: extent - size };
}

/**
 * Numbers the invocations of the grid, gives each a point of `tiles` (the last axis fastest) and runs `body` for
 * those inside. Returns the number of workgroups.
 */
export function overGrid(
  emitter: Emitter,
  tiles: readonly Tiled[],
  workgroupSize: number,
  body: () => void,
): Dim {
  const total = D.product(tiles.map(t => t.counter.extent));
  const id = emitter.bind('id', K.sum([K.scale(K.builtin('group'), workgroupSize), K.builtin('local')]));
  const inner = emitter.block(() => {
    decode(emitter, tiles, id);
    body();
  });
  const exact = D.divideExact(total, D.constant(workgroupSize));
  if (exact) for (const statement of inner) emitter.push(statement);
  else emitter.push({ kind: 'if', condition: K.binary('lt', id, emitter.dim(total)), then: inner });
  return exact ?? D.floorDiv(D.add(total, D.constant(workgroupSize - 1)), D.constant(workgroupSize));
}

/**
 * As `overGrid`, where all invocations of a workgroup have the same point of `shared`, so that its lanes can hand each
 * other what depends on no other tile. Lanes past the last point do what the last one does; `inside` tells them apart.
 */
export function overSubgroups(
  emitter: Emitter,
  shared: readonly Tiled[],
  own: readonly Tiled[],
  workgroupSize: number,
  body: (inside: KExpr | undefined) => void,
): Dim {
  const total = D.product(own.map(t => t.counter.extent));
  const exact = D.divideExact(total, D.constant(workgroupSize));
  const chunks = exact ?? D.floorDiv(D.add(total, D.constant(workgroupSize - 1)), D.constant(workgroupSize));
  const group = K.builtin('group');
  const count = emitter.dim(chunks);
  const chunk = emitter.bind('chunk', K.binary('mod', group, count));
  decode(emitter, shared, emitter.bind('rest', K.binary('floordiv', group, count)));
  const id = emitter.bind('id', K.sum([K.scale(chunk, workgroupSize), K.builtin('local')]));
  const last = emitter.dim(D.sub(total, D.constant(1)));
  decode(emitter, own, exact ? id : emitter.bind('id', K.binary('min', id, last)));
  body(exact ? undefined : K.binary('lt', id, emitter.dim(total)));
  return D.mul(D.product(shared.map(t => t.counter.extent)), chunks);
}

function decode(emitter: Emitter, tiles: readonly Tiled[], id: KExpr): void {
  let rest = id;
  const live = tiles.filter(t => !D.isConstant(t.counter.extent, 1));
  for (const t of tiles) if (!live.includes(t)) place(emitter, t, K.int(0));
  for (let i = live.length - 1; i >= 0; i--) {
    const t = live[i]!;
    const count = emitter.dim(t.counter.extent);
    const value = i === 0 ? rest : emitter.bind(t.axis.name, K.binary('mod', rest, count));
    if (i > 0) rest = emitter.bind('rest', K.binary('floordiv', rest, count));
    place(emitter, t, value);
  }
}

/** Makes a tile's counter stand for `value`. */
export function place(emitter: Emitter, tile: Tiled, value: KExpr): void {
  emitter.setAxis(tile.counter, value);
  if (tile.last === undefined) return;
  const start = K.binary('min', K.scale(value, tile.size), K.int(tile.last));
  const base = tile.base as Extract<Index, { kind: 'axis' }>;
  emitter.setAxis(base.axis, emitter.bind(tile.axis.name, start));
}

/** for (name = 0; name < extent; name++) over a fresh loop variable that `axis` stands for. */
export function loop(emitter: Emitter, axis: Axis, body: () => void): void {
  if (D.isConstant(axis.extent, 1)) {
    emitter.setAxis(axis, K.int(0));
    body();
    return;
  }
  const name = emitter.name(axis.name);
  emitter.setAxis(axis, K.ref(name));
  const to = emitter.dim(axis.extent);
  const statements: Stmt[] = emitter.block(body, name);
  emitter.push({ kind: 'for', name, from: K.int(0), to, step: 1, body: statements });
}
