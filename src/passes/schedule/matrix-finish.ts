import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type * as E from '../../ir/expr.ts';
import type { KExpr, SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import type { Variable } from './blocked.ts';
import type { Emitter } from './emitter.ts';
import { bound } from './fill.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import { type MatrixChoice, range, scratchOf, subgroupsOf } from './matrix-choice.ts';
import type { Corner, Matrices } from './matrix-products.ts';
import type { Product } from './product.ts';
import type { ProductBlocks } from './sides.ts';
import { storeAll } from './tile.ts';

interface Parts {
  readonly blocks: ProductBlocks;
  readonly products: Matrices;
  readonly sub: Corner;
}

/** What becomes of the results: strips of matrices go through memory of the subgroup, one after the other. */
export class MatrixFinish {
  readonly scratch: SharedArray;
  readonly #emitter: Emitter;
  readonly #work: Work;
  readonly #compute: Compute;
  readonly #product: Product;
  readonly #choice: MatrixChoice;
  readonly #parts: Parts;
  /** Neighbouring lanes make neighbouring outputs: they run along the side that holds the innermost axis. */
  readonly #rowsFast: boolean;
  /** Where the memory of this subgroup begins. */
  readonly #base: KExpr;

  constructor(
    emitter: Emitter,
    work: Work,
    compute: Compute,
    product: Product,
    choice: MatrixChoice,
    parts: Parts,
  ) {
    this.#emitter = emitter;
    this.#work = work;
    this.#compute = compute;
    this.#product = product;
    this.#choice = choice;
    this.#parts = parts;
    this.#rowsFast = product.rows.includes(compute.axes.at(-1)!);
    const size = scratchOf(choice);
    this.scratch = { name: emitter.name('results'), dtype: 'f32', size: size * subgroupsOf(choice) };
    this.#base = emitter.bind('results_start', K.scale(K.builtin('subgroup'), size));
  }

  /** Elements of a strip that each lane has. */
  get #turns(): number {
    return scratchOf(this.#choice) / this.#choice.subgroupSize;
  }

  /** Names of matrices side by side along the fast side, and where the first of them lies in the subgroup's block. */
  #strips(): { names: readonly string[]; row: number; column: number }[] {
    const { names } = this.#parts.products;
    const { strip, shape } = this.#choice;
    const lines = this.#rowsFast ? names[0]!.map((_, j) => names.map(row => row[j]!)) : names;
    return lines.flatMap((line, slow) =>
      range(line.length / strip).map(s => {
        const at = s * strip;
        const [row, column] = this.#rowsFast
          ? [at * shape.m, slow * shape.n]
          : [slow * shape.m, at * shape.n];
        return { names: line.slice(at, at + strip), row, column };
      }),
    );
  }

  get #width(): number {
    const { strip, shape } = this.#choice;
    return strip * (this.#rowsFast ? shape.m : shape.n);
  }

  #storeMatrices(names: readonly string[]): void {
    const { shape } = this.#choice;
    const each = this.#rowsFast ? shape.m : shape.n;
    names.forEach((matrix, q) => {
      const index = K.sum([this.#base, K.int(q * each)]);
      const place = { array: this.scratch.name, index, stride: K.int(this.#width) };
      this.#emitter.push({
        kind: 'store-matrix',
        matrix,
        ...place,
        ...(this.#rowsFast && { byColumns: true }),
      });
    });
    this.#emitter.push({ kind: 'barrier' });
  }

  #index(turn: KExpr): KExpr {
    const { subgroupSize } = this.#choice;
    return K.sum([K.scale(turn, subgroupSize), K.builtin('lane')]);
  }

  #load(at: KExpr): KExpr {
    const index = K.sum([this.#base, at]);
    return { kind: 'load-shared', dtype: 'f32', array: this.scratch.name, index };
  }

  /** A sum for every element that an invocation will store. */
  totals(): readonly (readonly Variable[])[] {
    return this.#strips().map((_, s) =>
      range(this.#turns).map(t => this.#emitter.variable(`total_${s}_${t}`, K.constant(0, 'f32'))),
    );
  }

  /** Adds what the matrices hold to `totals` and makes them zero. */
  putAside(totals: readonly (readonly Variable[])[]): void {
    for (const sums of this.#parts.products.sums.values()) sums.putAside(this.scratch, this.#base, true);
    for (const [s, { names }] of this.#strips().entries()) {
      this.#storeMatrices(names);
      for (const [t, total] of totals[s]!.entries()) {
        const value = K.binary('add', total, this.#load(this.#index(K.int(t))));
        this.#emitter.push({ kind: 'assign', name: total.name, value });
      }
      this.#emitter.push({ kind: 'barrier' });
    }
    this.#parts.products.zero();
  }

  store(totals?: readonly (readonly Variable[])[]): void {
    const emitter = this.#emitter;
    const { sums } = this.#parts.products;
    if (!totals) for (const side of sums.values()) side.putAside(this.scratch, this.#base, false);
    for (const [s, strip] of this.#strips().entries()) {
      if (totals)
        // Each lane reads back what it wrote itself.
        for (const [t, value] of totals[s]!.entries()) {
          const index = K.sum([this.#base, this.#index(K.int(t))]);
          emitter.push({ kind: 'store-shared', array: this.scratch.name, index, value });
        }
      else this.#storeMatrices(strip.names);
      const turn: Axis = { name: 'turn', extent: D.constant(this.#turns) };
      loop(emitter, turn, () => this.#storeElement(strip, emitter.index(A.index(turn))));
      if (!totals) emitter.push({ kind: 'barrier' });
    }
  }

  #storeElement({ row, column }: { row: number; column: number }, turn: KExpr): void {
    const { blocks, sub } = this.#parts;
    const { rows, columns } = this.#choice;
    const emitter = this.#emitter;
    const e = emitter.bind('e', this.#index(turn));
    const fast = emitter.bind('e_fast', K.binary('mod', e, K.int(this.#width)));
    const slow = emitter.bind('e_slow', K.binary('floordiv', e, K.int(this.#width)));
    const [inRow, inColumn] = this.#rowsFast ? [fast, slow] : [slow, fast];
    const at = (tile: KExpr, size: number, own: KExpr, offset: number, inside: KExpr): KExpr =>
      K.sum([K.scale(tile, size), own, inside, K.int(offset)]);
    const rowAt = emitter.bind('row', at(blocks.rowTile, rows, sub.row, row, inRow));
    const columnAt = emitter.bind('column', at(blocks.columnTile, columns, sub.column, column, inColumn));
    const positions = new Map<Axis, Index>([
      ...blocks.batch,
      ...blocks.place(blocks.rows, rowAt),
      ...blocks.place(blocks.columns, columnAt),
    ]);
    const guards = [
      ...bound(emitter, blocks.rows.total, rows, rowAt),
      ...bound(emitter, blocks.columns.total, columns, columnAt),
    ];
    const value = emitter.bind('sum', this.#load(e));
    const map: E.ExprMap = { axis: a => positions.get(a) };
    const { outs, axes } = this.#compute;
    const { sums } = this.#parts.products;
    const reduced = (component: number): KExpr => {
      const part = this.#product.parts[component]!;
      if (part === 'product') return value;
      const inside = part === 'left' ? [inRow, K.int(row)] : [inColumn, K.int(column)];
      return sums.get(part)!.at(K.sum(inside));
    };
    const then = emitter.block(() => storeAll(emitter, this.#work, outs, axes, map, reduced));
    if (guards.length === 0) for (const s of then) emitter.push(s);
    else emitter.push({ kind: 'if', condition: guards.reduce((x, y) => K.binary('and', x, y)), then });
  }
}
