import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr, MatrixPlace, SharedArray } from '../../ir/kernel.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Variable } from './blocked.ts';
import type { Emitter } from './emitter.ts';
import { bound, type Flat } from './fill.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import { type MatrixChoice, range, stagedSize, stagedStride, threadsOf } from './matrix-choice.ts';
import { isContiguous, type ProductBlocks, stored } from './sides.ts';

/** Elements that an invocation reads at once where memory lets it. */
const together = 4;

/** Reads of an invocation that may wait in registers. */
const mostAhead = 8;

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
  /** The next slice is read while one is multiplied, and waits in registers. */
  readonly #ahead: boolean;
  #waiting: readonly Variable[] | undefined;

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
    const loads = loadsOf([this.#factor]);
    this.#ahead =
      whole &&
      loads.length <= 2 &&
      loads.every(l => !l.guard) &&
      this.#count % threadsOf(choice) === 0 &&
      this.#turns <= mostAhead;
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

  /** Reads the first slice ahead of all loops. */
  begin(): void {
    if (!this.#ahead) return;
    this.#waiting = range(this.#turns).map(t =>
      this.#emitter.variable(`${this.#which}_next`, this.#read(this.#element(t), K.int(0)).value),
    );
  }

  /** Brings the slice into workgroup memory; every invocation as many elements as any other. */
  fill(): void {
    const emitter = this.#emitter;
    const put = (e: KExpr): void => {
      const { index, value } = this.#read(e, emitter.index(A.index(this.#slice)));
      this.#store(index, value);
    };
    if (this.#waiting)
      for (const [t, value] of this.#waiting.entries())
        this.#store(this.#places(this.#element(t)).index, value);
    else {
      const turn: Axis = { name: 'turn', extent: D.constant(this.#turns) };
      loop(emitter, turn, () => {
        const e = emitter.bind('e', this.#element(emitter.index(A.index(turn))));
        if (this.#count % threadsOf(this.#choice) === 0) return put(e);
        const then = emitter.block(() => put(e));
        emitter.push({ kind: 'if', condition: K.binary('lt', e, K.int(this.#count)), then });
      });
    }
  }

  /** Reads the slice after this one while this one is multiplied; after the last it is read again, for nothing. */
  readAhead(): void {
    const emitter = this.#emitter;
    if (!this.#waiting) return;
    const last = emitter.dim(D.sub(this.#slice.extent, D.constant(1)));
    const after = K.sum([emitter.index(A.index(this.#slice)), K.int(1)]);
    const next = emitter.bind('next', K.binary('min', after, last));
    for (const [t, { name }] of this.#waiting.entries())
      emitter.push({ kind: 'assign', name, value: this.#read(this.#element(t), next).value });
  }

  /** Groups of elements that are read at once. */
  get #count(): number {
    return (this.#width * this.#choice.depth) / this.#lanes;
  }

  get #turns(): number {
    return Math.ceil(this.#count / threadsOf(this.#choice));
  }

  #element(turn: KExpr | number): KExpr {
    const threads = threadsOf(this.#choice);
    const first = typeof turn === 'number' ? K.int(turn * threads) : K.scale(turn, threads);
    return this.#emitter.bind('e', K.sum([first, K.builtin('local')]));
  }

  /** Where group `e` of a block goes, and which it is along both sides: those along the fast one come first. */
  #places(e: KExpr): { readonly index: KExpr; readonly inSide: KExpr; readonly inDepth: KExpr } {
    const emitter = this.#emitter;
    const lanes = this.#lanes;
    const fastCount = (this.#deep ? this.#choice.depth : this.#width) / lanes;
    const inFast = emitter.bind('e_fast', K.binary('mod', e, K.int(fastCount)));
    const inSlow = emitter.bind('e_slow', K.binary('floordiv', e, K.int(fastCount)));
    const [inSide, inDepth] = this.#deep ? [inSlow, inFast] : [inFast, inSlow];
    const wide = (x: KExpr, by: boolean): KExpr => (by ? K.scale(x, lanes) : x);
    const index = this.#index(wide(inSide, !this.#deep), wide(inDepth, this.#deep));
    return { index: emitter.bind('to', index), inSide, inDepth };
  }

  /** The elements of a group, as they wait: in f16 where that is all of them. */
  #read(e: KExpr, slice: KExpr): { readonly index: KExpr; readonly value: KExpr } {
    const emitter = this.#emitter;
    const lanes = this.#lanes;
    const { index, inSide, inDepth } = this.#places(e);
    const tile = this.#which === 'left' ? this.#blocks.rowTile : this.#blocks.columnTile;
    const lane: Axis | undefined = lanes > 1 ? { name: 'lane', extent: D.constant(lanes) } : undefined;
    const side = this.#at(this.#side, tile, this.#width, inSide, this.#deep ? undefined : lane);
    const deep = this.#at(
      this.#blocks.depth,
      slice,
      this.#choice.depth,
      inDepth,
      this.#deep ? lane : undefined,
    );
    const positions = new Map([...this.#blocks.batch, ...side.place, ...deep.place]);
    const guards = [...side.guards, ...deep.guards];
    let value = K.int(0);
    const read = (): void => {
      const all = emitter.expr(E.mapExpr(this.#factor, { axis: a => positions.get(a) }));
      const inside = guards.reduce<KExpr>((x, y) => K.binary('and', x, y), K.constant(1, 'bool'));
      value = K.splat(K.select(inside, all, K.constant(0, all.dtype)), lanes);
    };
    if (lane) emitter.withLanes(lane, lanes, read);
    else read();
    return { index, value: this.arrays.length === 1 ? K.cast('f16', value) : value };
  }

  #store(index: KExpr, given: KExpr): void {
    const emitter = this.#emitter;
    const put = (array: SharedArray, value: KExpr): void =>
      emitter.push({ kind: 'store-shared', array: array.name, index, value });
    const [first, rest] = this.arrays;
    if (!rest) {
      put(first!, given);
      return;
    }
    const value = emitter.bind('value', given);
    const part = emitter.bind('part', K.cast('f16', value));
    put(first!, part);
    put(rest, K.cast('f16', K.binary('sub', value, K.cast('f32', part))));
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
