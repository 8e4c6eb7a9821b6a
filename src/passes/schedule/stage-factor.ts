import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr, MatrixPlace, SharedArray } from '../../ir/kernel.ts';
import type { Emitter } from './emitter.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import { type MatrixChoice, stagedSize, stagedStride, threadsOf } from './matrix-choice.ts';
import { bound, type Flat, isContiguous, type ProductBlocks, stored } from './sides.ts';

/** Elements that an invocation reads at once where memory lets it. */
const together = 4;

type Position = Pick<MatrixPlace, 'index' | 'stride' | 'byColumns'>;

/** A block of one factor in workgroup memory, for matrices to be loaded from. */
export interface Staged {
  /** One for each part: f16, and what that leaves. */
  readonly arrays: readonly SharedArray[];
  /** Where the matrix lies whose first element is at a row (of the left factor; a column of the right one) and a depth. */
  place(side: KExpr, depth: KExpr): Position;
}

export interface Factor {
  readonly which: 'left' | 'right';
  readonly factor: Expr;
  readonly parts: 1 | 2;
  readonly slice: Axis;
}

/** Brings slices of a factor into workgroup memory, in f16, with 0 where there is none. */
export class FactorStage {
  readonly arrays: readonly SharedArray[];
  readonly #emitter: Emitter;
  readonly #blocks: ProductBlocks;
  readonly #choice: MatrixChoice;
  readonly #which: 'left' | 'right';
  readonly #factor: Expr;
  readonly #slice: Axis;
  /** Memory runs along the reduction. */
  readonly #deep: boolean;
  readonly #lanes: number;

  constructor(
    emitter: Emitter,
    compute: Compute,
    blocks: ProductBlocks,
    choice: MatrixChoice,
    { which, factor, parts, slice }: Factor,
  ) {
    this.#emitter = emitter;
    this.#blocks = blocks;
    this.#choice = choice;
    this.#which = which;
    this.#factor = parts === 1 ? stored(factor) : factor;
    this.#slice = slice;
    this.#deep = isContiguous(compute, factor, blocks.depth);
    const fast = this.#deep ? blocks.depth : this.#side;
    const inner = D.constantValue(fast.axes.at(-1)!.extent);
    const whole = inner !== undefined && inner % together === 0 && isContiguous(compute, factor, fast);
    this.#lanes = whole ? together : 1;
    const size = stagedSize(this.#width, choice.depth, this.#deep);
    this.arrays = ['', '_rest']
      .slice(0, parts)
      .map(part => ({ name: emitter.name(`${which}_block${part}`), dtype: 'f16', size }));
  }

  get #side(): Flat {
    return this.#which === 'left' ? this.#blocks.rows : this.#blocks.columns;
  }

  get #width(): number {
    return this.#which === 'left' ? this.#choice.rows : this.#choice.columns;
  }

  get #stride(): number {
    return stagedStride(this.#deep ? this.#choice.depth : this.#width);
  }

  get staged(): Staged {
    const byColumns = this.#deep === (this.#which === 'right');
    return {
      arrays: this.arrays,
      place: (side, depth) => ({
        index: this.#index(side, depth),
        stride: K.int(this.#stride),
        ...(byColumns && { byColumns }),
      }),
    };
  }

  #index(side: KExpr, depth: KExpr): KExpr {
    const [slow, fast] = this.#deep ? [side, depth] : [depth, side];
    return K.sum([K.scale(slow, this.#stride), fast]);
  }

  /** Every invocation brings as many elements as any other. */
  fill(): void {
    const emitter = this.#emitter;
    const { depth } = this.#choice;
    const lanes = this.#lanes;
    const threads = threadsOf(this.#choice);
    const count = (this.#width * depth) / lanes;
    const turn: Axis = { name: 'turn', extent: D.constant(Math.ceil(count / threads)) };
    loop(emitter, turn, () => {
      const e = emitter.bind(
        'e',
        K.sum([K.scale(emitter.index(A.index(turn)), threads), K.builtin('local')]),
      );
      if (count % threads === 0) this.#element(e);
      else {
        const then = emitter.block(() => this.#element(e));
        emitter.push({ kind: 'if', condition: K.binary('lt', e, K.int(count)), then });
      }
    });
  }

  /** `e` counts groups of as many elements as are read at once, along the fast side first. */
  #element(e: KExpr): void {
    const emitter = this.#emitter;
    const lanes = this.#lanes;
    const { depth } = this.#choice;
    const fastCount = (this.#deep ? depth : this.#width) / lanes;
    const inFast = emitter.bind('e_fast', K.binary('mod', e, K.int(fastCount)));
    const inSlow = emitter.bind('e_slow', K.binary('floordiv', e, K.int(fastCount)));
    const [inSide, inDepth] = this.#deep ? [inSlow, inFast] : [inFast, inSlow];
    const tile = this.#which === 'left' ? this.#blocks.rowTile : this.#blocks.columnTile;
    const slice = emitter.index(A.index(this.#slice));
    const lane: Axis = { name: 'lane', extent: D.constant(lanes) };
    const side = this.#at(this.#side, tile, this.#width, inSide, !this.#deep && lanes > 1 ? lane : undefined);
    const deep = this.#at(
      this.#blocks.depth,
      slice,
      depth,
      inDepth,
      this.#deep && lanes > 1 ? lane : undefined,
    );

    const positions = new Map([...this.#blocks.batch, ...side.place, ...deep.place]);
    const guards = [...side.guards, ...deep.guards];
    const inside = guards.length > 0 ? guards.reduce((x, y) => K.binary('and', x, y)) : undefined;
    const wide = (x: KExpr, by: boolean): KExpr => (by ? K.scale(x, lanes) : x);
    const index = emitter.bind('to', this.#index(wide(inSide, !this.#deep), wide(inDepth, this.#deep)));
    const fill = (): void => {
      const mapped = E.mapExpr(this.#factor, { axis: a => positions.get(a) });
      const value = emitter.expr(mapped);
      const kept = inside ? K.select(inside, value, K.constant(0, value.dtype)) : value;
      this.#store(index, K.splat(kept, lanes));
    };
    if (lanes > 1) emitter.withLanes(lane, lanes, fill);
    else fill();
  }

  #store(index: KExpr, given: KExpr): void {
    const emitter = this.#emitter;
    const put = (array: SharedArray, value: KExpr): void =>
      emitter.push({ kind: 'store-shared', array: array.name, index, value });
    const [first, rest] = this.arrays;
    const value = rest ? emitter.bind('value', given) : given;
    const part = rest ? emitter.bind('part', K.cast('f16', value)) : K.cast('f16', value);
    put(first!, part);
    if (rest) put(rest, K.cast('f16', K.binary('sub', value, K.cast('f32', part))));
  }

  /**
   * Where the axes of a side stand: in its `tile` of `size`, at `at`, which counts groups where `lane` runs in them. What lies
   * past the end is taken from the beginning, where there is something to read, and does not count.
   */
  #at(
    side: Flat,
    tile: KExpr,
    size: number,
    at: KExpr,
    lane: Axis | undefined,
  ): { place: ReadonlyMap<Axis, Index>; guards: KExpr[] } {
    const lanes = lane ? together : 1;
    const axes = [...side.axes];
    const last = axes.pop()!;
    const groups: Axis = lane
      ? { name: last.name, extent: D.constant(D.constantValue(last.extent)! / lanes) }
      : last;
    const all: Flat = { axes: [...axes, groups], total: D.product([...axes, groups].map(a => a.extent)) };
    const emitter = this.#emitter;
    const whole = emitter.bind('side', K.sum([K.scale(tile, size / lanes), at]));
    const guards = bound(emitter, all.total, size / lanes, whole).map(g => emitter.bind('valid', g));
    const inside = guards.reduce((x, guard) => K.select(guard, x, K.int(0)), whole);
    const place = new Map(this.#blocks.place(all, emitter.bind('side', inside)));
    if (lane) {
      const inLast = A.add(A.mul(place.get(groups)!, lanes), A.index(lane));
      place.delete(groups);
      place.set(last, inLast);
    }
    return { place, guards };
  }
}
