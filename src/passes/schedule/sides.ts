import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Emitter } from './emitter.ts';
import { type Flat, flat, placeOf } from './fill.ts';
import { nominalValue } from './grid.ts';
import * as K from './kexpr.ts';
import type { Product } from './product.ts';

type Place = ReadonlyMap<Axis, Index>;

/** A product cut into blocks of rows and columns, one for each workgroup: which one this workgroup has, and where that is. */
export class ProductBlocks {
  readonly rows: Flat;
  readonly columns: Flat;
  readonly depth: Flat;
  /** Numbers of the block along both sides. */
  readonly rowTile: KExpr;
  readonly columnTile: KExpr;
  /** Where the axes of the batch stand. */
  readonly batch: Place;
  /** Number of workgroups. */
  readonly groups: Dim;
  readonly #emitter: Emitter;

  constructor(
    emitter: Emitter,
    compute: Compute,
    p: Product,
    block: { readonly rows: number; readonly columns: number },
  ) {
    this.#emitter = emitter;
    this.rows = flat(p.rows);
    this.columns = flat(p.columns);
    this.depth = flat(compute.reduce!.axes);
    const batch = flat(p.batch);
    const rowTiles = ceilDiv(this.rows.total, block.rows);
    const columnTiles = ceilDiv(this.columns.total, block.columns);
    this.groups = D.mul(D.mul(rowTiles, columnTiles), batch.total);

    // Columns fastest, then rows, then the batch.
    const group = K.builtin('group');
    this.columnTile = emitter.bind('column_tile', K.binary('mod', group, emitter.dim(columnTiles)));
    const rest = emitter.bind('rest', K.binary('floordiv', group, emitter.dim(columnTiles)));
    this.rowTile = emitter.bind('row_tile', K.binary('mod', rest, emitter.dim(rowTiles)));
    const batchAt = emitter.bind('batch', K.binary('floordiv', rest, emitter.dim(rowTiles)));
    this.batch = this.place(batch, batchAt);
  }

  /** Where the axes of a side stand at one of its positions, which may lie past the end. */
  place(side: Flat, at: KExpr): Place {
    return placeOf(this.#emitter, side, at);
  }
}

export function ceilDiv(d: Dim, by: number): Dim {
  return D.floorDiv(D.add(d, D.constant(by - 1)), D.constant(by));
}

/** Whether the factor's memory runs along a side. */
export function isContiguous(compute: Compute, factor: Expr, side: Flat): boolean {
  const last = side.axes.at(-1)!;
  return loadsOf([factor]).some(load => {
    const { axes } = A.axisCoefficients(A.flatten(load.at, compute.inputs[load.input]!.shape));
    const step = axes.get(last);
    return (
      step !== undefined &&
      D.isConstant(step, 1) &&
      !D.isConstant(last.extent, 1) &&
      nominalValue(last.extent) >= 8
    );
  });
}

/** A factor that is widened as it is loaded waits in workgroup memory as it was, in half the space. */
export const stored = (factor: Expr): Expr =>
  factor.kind === 'cast' && factor.a.kind === 'load' && factor.a.dtype === 'f16' ? factor.a : factor;
