import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { tensor as tensorType } from '../../ir/type.ts';
import { type Copy, copyType, copyWork, padded, withCopy } from '../copies.ts';
import { computeTime } from '../estimate.ts';
import { loadsOf } from '../fuse/definition.ts';
import { trimInputs } from '../schedule/split.ts';
import { Temporaries } from '../temporaries.ts';
import { type Filtering, recognise } from './recognise.ts';
import {
  filterTransform,
  inputTransform,
  inTwoDims,
  outputs,
  outputTransform,
  points,
  taps,
} from './transforms.ts';

/**
 * Rewrites 3 x 3 filters of stride 1 as Winograd's F(4 x 4, 3 x 3) where that is estimated to be faster: 36 products for 16
 * outputs instead of 144, at the price of three transforms. Every work becomes four: the filter at 36 points, the image at
 * 36 points of each tile, the product of both over the channels, and back with whatever was fused to the outputs.
 *
 * In f32 the results are about ten times less exact than sums of products (1e-5 of the largest instead of 1e-6).
 */
export function winograd(program: Program, target: Target): Program {
  const temporaries = new Temporaries(program);
  const changed = new Set(program.works.flatMap(w => w.outputs.map(storageOf)));
  const works = program.works.flatMap(work => rewrite(work, temporaries, changed, target) ?? [work]);
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}

function rewrite(
  work: Work,
  temporaries: Temporaries,
  changed: ReadonlySet<Tensor>,
  target: Target,
): readonly Work[] | undefined {
  const [compute] = work.region.stages;
  const filtering = compute && recognise(compute);
  if (!filtering || work.loop) return undefined;
  const { rows, columns } = filtering;
  if ([rows, columns].some(a => D.constantValue(a.extent)! < outputs)) return undefined;
  if (compute.outs.some(o => o.keep || o.at)) return undefined;
  // Tiles at the end overlap: what is read must not be what is written.
  if (work.outputs.some(t => t.role !== 'temporary' || work.inputs.some(i => storageOf(i) === storageOf(t))))
    return undefined;

  const mark = temporaries.made.length;
  // Where threads have no vectors, a border saves nothing.
  const isCpu = target.kind === 'cpu';
  const border = isCpu ? withBorder(work, compute, temporaries) : { work, compute, copies: [] };
  const parts = new Parts(border.work, border.compute, recognise(border.compute)!, temporaries);
  const made = [parts.filter(), ...border.copies, parts.image(), parts.products(), parts.back()];
  const isFixed = isCpu && made[0]!.inputs.every(t => isParameter(t, changed));
  const timeOf = (w: Work): number => computeTime(w.region.stages[0]!, target);
  const time = made.reduce((n, w, i) => n + (i === 0 && isFixed ? 0 : timeOf(w)), 0);
  if (target.eager || time < 0.9 * computeTime(compute, target)) return made;
  temporaries.made.length = mark;
  return undefined;
}

/** The work with its image in a border of zeros, so that no tile asks what is inside. */
function withBorder(
  work: Work,
  compute: Compute,
  temporaries: Temporaries,
): { readonly work: Work; readonly compute: Compute; readonly copies: readonly Work[] } {
  const guarded = loadsOf(compute.reduce!.lift).find(l => l.guard);
  const source = guarded && work.inputs[guarded.input]!;
  const ranges = guarded && source!.type.dtype === 'f32' ? padded(guarded, source!.type.shape) : undefined;
  if (!ranges) return { work, compute, copies: [] };
  const copy: Copy = { ranges, order: ranges.map((_, i) => i), padded: true };
  const type = copyType(source!.type, copy);
  const tensor = temporaries.make(`${source!.name}_padded`, type, work.origin);
  return {
    work: { ...work, inputs: [...work.inputs, tensor] },
    compute: withCopy(compute, guarded!, copy, compute.inputs.length, type),
    copies: [copyWork(work, source!, tensor, copy, guarded!)],
  };
}

class Parts {
  readonly #work: Work;
  readonly #compute: Compute;
  readonly #of: Filtering;
  readonly #tileRows: Axis;
  readonly #tileColumns: Axis;
  readonly #filter: Tensor;
  readonly #image: Tensor;
  readonly #products: Tensor;
  readonly #tiles: D.Dim;
  /** What a row of tiles takes: not a power of two, of which all rows would share the same few lines of a cache. */
  readonly #pitch: D.Dim;

  constructor(work: Work, compute: Compute, of: Filtering, temporaries: Temporaries) {
    this.#work = work;
    this.#compute = compute;
    this.#of = of;
    const tileAxis = (a: Axis): Axis => ({
      name: `${a.name}_tile`,
      extent: D.constant(Math.ceil(D.constantValue(a.extent)! / outputs)),
    });
    this.#tileRows = tileAxis(of.rows);
    this.#tileColumns = tileAxis(of.columns);
    this.#tiles = D.product([...of.imageAxes, this.#tileRows, this.#tileColumns].map(a => a.extent));
    this.#pitch = D.add(this.#tiles, D.constant(16));
    const make = (what: string, axes: readonly Axis[], rest: readonly D.Dim[]): Tensor =>
      temporaries.make(
        `${work.name}_${what}`,
        tensorType('f32', [D.constant(points * points), ...axes.map(a => a.extent), ...rest]),
        work.origin,
      );
    this.#filter = make('filter', [...of.sharedAxes, ...of.filterAxes, ...of.channels], []);
    this.#image = make('image', [...of.sharedAxes, ...of.channels], [this.#pitch]);
    this.#products = make('products', [...of.sharedAxes, ...of.filterAxes], [this.#pitch]);
  }

  /** filter(i, j) -> points x points of it. */
  filter(): Work {
    const { filter, sharedAxes, filterAxes, channels } = this.#of;
    const at = inTwoDims(filterTransform, taps, filter);
    const axes = [...sharedAxes, ...filterAxes, ...channels];
    return this.#map('filter', this.#filter, axes, at, axes.map(A.index));
  }

  /** A tile of the image -> points x points of it. */
  image(): Work {
    const { image, sharedAxes, channels, imageAxes } = this.#of;
    const { row, column } = this.#origin();
    const at = inTwoDims(inputTransform, points, (i, j) => image(A.add(row, i), A.add(column, j)));
    const axes = [...sharedAxes, ...channels, ...imageAxes, this.#tileRows, this.#tileColumns];
    return this.#map('image', this.#image, axes, at, [
      ...[...sharedAxes, ...channels].map(A.index),
      this.#tileNumber(),
    ]);
  }

  /** The sum over the channels, for every point by itself. */
  products(): Work {
    const { sharedAxes, filterAxes, channels } = this.#of;
    const point: Axis = { name: 'point', extent: D.constant(points * points) };
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
    const input = this.#work.inputs.length;
    const at = (i: number, j: number): Expr =>
      E.load(input, this.#products.type, [i * points + j, ...sharedAxes, ...filterAxes, this.#tileNumber()]);
    const sums = inTwoDims(outputTransform, points, at);
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

/** Whether nothing in the program changes it, so that what is made of it is made once. */
function isParameter(tensor: Tensor, changed: ReadonlySet<Tensor>): boolean {
  const isPacked = [...changed].some(t => t.role === 'pack');
  return tensor.role === 'param' && !isPacked && !changed.has(storageOf(tensor));
}
