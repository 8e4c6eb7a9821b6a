import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Tensor, Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { tensor as tensorType } from '../../ir/type.ts';
import { trimInputs } from '../schedule/split.ts';
import type { Temporaries } from '../temporaries.ts';
import type { Filtering } from './recognise.ts';
import { inTwoDims, type MinimalFiltering, taps } from './transforms.ts';

/**
 * Where processors run kernels no power of two, of which all rows would share the same few lines of a cache; on a GPU
 * rows of whole vectors.
 */
function pitchOf(tiles: D.Dim, kind: Target['kind']): D.Dim {
  if (kind !== 'gpu') return D.add(tiles, D.constant(16));
  const known = D.constantValue(tiles);
  return known === undefined ? tiles : D.constant(Math.ceil(known / 4) * 4);
}

/** The four works that one becomes. */
export class Parts {
  readonly #work: Work;
  readonly #compute: Compute;
  readonly #of: Filtering;
  readonly #by: MinimalFiltering;
  readonly #tileRows: Axis;
  readonly #tileColumns: Axis;
  readonly #filter: Tensor;
  readonly #image: Tensor;
  readonly #products: Tensor;
  readonly #tiles: D.Dim;
  /** What a row of tiles takes. */
  readonly #pitch: D.Dim;

  constructor(
    work: Work,
    compute: Compute,
    of: Filtering,
    by: MinimalFiltering,
    kind: Target['kind'],
    temporaries: Temporaries,
  ) {
    this.#work = work;
    this.#compute = compute;
    this.#of = of;
    this.#by = by;
    const tileAxis = (a: Axis): Axis => ({
      name: `${a.name}_tile`,
      extent: D.constant(Math.ceil(D.constantValue(a.extent)! / by.outputs)),
    });
    this.#tileRows = tileAxis(of.rows);
    this.#tileColumns = tileAxis(of.columns);
    this.#tiles = D.product([...of.imageAxes, this.#tileRows, this.#tileColumns].map(a => a.extent));
    this.#pitch = pitchOf(this.#tiles, kind);
    const make = (what: string, axes: readonly Axis[], rest: readonly D.Dim[]): Tensor =>
      temporaries.make(
        `${work.name}_${what}`,
        tensorType('f32', [D.constant(by.points ** 2), ...axes.map(a => a.extent), ...rest]),
        work.origin,
      );
    this.#filter = make('filter', [...of.sharedAxes, ...of.filterAxes, ...of.channels], []);
    this.#image = make('image', [...of.sharedAxes, ...of.channels], [this.#pitch]);
    this.#products = make('products', [...of.sharedAxes, ...of.filterAxes], [this.#pitch]);
  }

  /** filter(i, j) -> points x points of it. */
  filter(): Work {
    const { filter, sharedAxes, filterAxes, channels } = this.#of;
    const at = inTwoDims(this.#by.filter, taps, filter);
    const axes = [...sharedAxes, ...filterAxes, ...channels];
    return this.#map('filter', this.#filter, axes, at, axes.map(A.index));
  }

  /** A tile of the image -> points x points of it. */
  image(): Work {
    const { image, sharedAxes, channels, imageAxes } = this.#of;
    const { row, column } = this.#origin();
    const { input, points } = this.#by;
    const at = inTwoDims(input, points, (i, j) => image(A.add(row, i), A.add(column, j)));
    const axes = [...sharedAxes, ...channels, ...imageAxes, this.#tileRows, this.#tileColumns];
    return this.#map('image', this.#image, axes, at, [
      ...[...sharedAxes, ...channels].map(A.index),
      this.#tileNumber(),
    ]);
  }

  /** The sum over the channels, for every point by itself. */
  products(): Work {
    const { sharedAxes, filterAxes, channels } = this.#of;
    const point: Axis = { name: 'point', extent: D.constant(this.#by.points ** 2) };
    const tile: Axis = { name: 'tile', extent: this.#tiles };
    const axes = [point, ...sharedAxes, ...filterAxes, tile];
    const { monoid } = this.#compute.reduce!;
    const lift = E.mul(
      E.load(0, this.#filter.type, [point, ...sharedAxes, ...filterAxes, ...channels]),
      E.load(1, this.#image.type, [point, ...sharedAxes, ...channels, tile]),
    );
    const compute: Compute = {
      inputs: [this.#filter.type, this.#image.type],
      axes,
      reduce: { axes: channels, lift: [lift], monoid },
      outs: [
        { type: this.#products.type, value: E.reduced(0, monoid), at: axes.map(A.index), partial: true },
      ],
    };
    return this.#part('products', [this.#filter, this.#image], compute, [this.#products]);
  }

  /** points x points of products -> outputs x outputs, through what was fused to them. */
  back(): Work {
    const { sharedAxes, filterAxes, imageAxes, rows, columns } = this.#of;
    const { points, output } = this.#by;
    const input = this.#work.inputs.length;
    const at = (i: number, j: number): Expr =>
      E.load(input, this.#products.type, [i * points + j, ...sharedAxes, ...filterAxes, this.#tileNumber()]);
    const sums = inTwoDims(output, points, at);
    const { row, column } = this.#origin();
    const tensors: Tensor[] = [];
    const outs: Out[] = [];
    this.#compute.outs.forEach((out, o) => {
      sums.forEach((line, i) => {
        line.forEach((sum, j) => {
          const position = new Map<Axis, Index>([
            [rows, A.add(row, i)],
            [columns, A.add(column, j)],
          ]);
          const map = { axis: (a: Axis) => position.get(a) };
          outs.push({
            type: out.type,
            value: E.mapExpr(out.value, { ...map, reduced: () => sum }),
            at: this.#compute.axes.map(a => E.mapIndex(A.index(a), map)),
            partial: true,
          });
          tensors.push(this.#work.outputs[o]!);
        });
      });
    });
    const compute: Compute = {
      inputs: [...this.#compute.inputs, this.#products.type],
      axes: [...sharedAxes, ...filterAxes, ...imageAxes, this.#tileRows, this.#tileColumns],
      outs,
    };
    const inputs = [...this.#work.inputs, this.#products];
    return { ...trimInputs(this.#part('', inputs, compute, tensors)), absorbed: this.#work.absorbed };
  }

  /** The first row and column of a tile; the last one is moved back inside. */
  #origin(): { row: Index; column: Index } {
    const { outputs } = this.#by;
    const first = (a: Axis, tile: Axis): Index => {
      const extent = D.constantValue(a.extent)!;
      const start = A.mul(tile, outputs);
      return extent % outputs === 0 ? start : A.min(start, A.index(extent - outputs));
    };
    const { rows, columns } = this.#of;
    return { row: first(rows, this.#tileRows), column: first(columns, this.#tileColumns) };
  }

  #tileNumber(): Index {
    const axes = [...this.#of.imageAxes, this.#tileRows, this.#tileColumns];
    return A.flatten(
      axes.map(A.index),
      axes.map(a => a.extent),
    );
  }

  #map(
    what: string,
    into: Tensor,
    axes: readonly Axis[],
    values: readonly (readonly Expr[])[],
    at: readonly Index[],
  ): Work {
    const outs = values.flat().map(
      (value, k): Out => ({
        type: into.type,
        value,
        at: [A.index(k), ...at],
        partial: true,
      }),
    );
    const compute: Compute = { inputs: this.#compute.inputs, axes, outs };
    return trimInputs(
      this.#part(
        what,
        this.#work.inputs,
        compute,
        outs.map(() => into),
      ),
    );
  }

  #part(what: string, inputs: readonly Tensor[], compute: Compute, tensors: readonly Tensor[]): Work {
    const { outputs } = this.#by;
    return {
      name: what === '' ? this.#work.name : `${this.#work.name}_${what}`,
      origin: this.#work.origin,
      inputs,
      region: { outer: [], stages: [compute] },
      outputs: tensors,
      absorbed: [`Winograd F(${outputs}x${outputs}, ${taps}x${taps})`, what],
      role: `Winograd ${what || 'outputs'}`,
    };
  }
}
