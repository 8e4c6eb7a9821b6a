import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type * as E from '../../ir/expr.ts';
import type { KExpr, MatrixType, SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import type { Variable } from './blocked.ts';
import type { Emitter } from './emitter.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import { type MatrixChoice, range, type Side, scratchOf, subgroupsOf } from './matrix-choice.ts';
import type { Product } from './product.ts';
import { SideSums } from './side-sums.ts';
import { bound, ceilDiv, ProductBlocks } from './sides.ts';
import { FactorStage, type Staged } from './stage-factor.ts';
import { storeAll } from './tile.ts';

/** Terms after which the sum of a long product is put aside: see `blocked.ts`. Matrices add as many at once as they are deep. */
const longest = 4096;

/**
 * Products on the matrix units of subgroups: a workgroup loads a block of each factor into workgroup memory as f16, every
 * subgroup multiplies matrices out of it, and adds them up in f32. Results pass through workgroup memory once more, from
 * where each invocation takes elements to finish and store.
 *
 *     for k:  acc[m, n] += left(m, k) * right(k, n);  out[m, n] = value(acc[m, n])
 *  -> for each slice:  left and right blocks -> workgroup memory, 0 outside;  barrier
 *                      for k in slice by 16:  C[i, j] += L[i, k] ** R[k, j];  barrier
 *     for each C:      C -> workgroup memory;  barrier;  out = value(element);  barrier
 *
 * A factor in two parts (f16 and what that leaves, also f16) has an array and a matrix for each; all products of parts
 * but the least are added, the smaller first.
 */
export function emitMatrixTiles(
  emitter: Emitter,
  work: Work,
  compute: Compute,
  p: Product,
  choice: MatrixChoice,
): { groups: Dim; shared: SharedArray[] } {
  const blocks = new ProductBlocks(emitter, compute, p, choice);
  const subgroup = K.builtin('subgroup');
  const across = choice.columns / choice.subgroupColumns;
  const sub = {
    row: emitter.bind(
      'matrix_row',
      K.scale(K.binary('floordiv', subgroup, K.int(across)), choice.subgroupRows),
    ),
    column: emitter.bind(
      'matrix_column',
      K.scale(K.binary('mod', subgroup, K.int(across)), choice.subgroupColumns),
    ),
  };
  const slice: Axis = { name: 'slice', extent: ceilDiv(blocks.depth.total, choice.depth) };
  const side = (which: 'left' | 'right'): FactorStage =>
    new FactorStage(emitter, compute, blocks, choice, {
      which,
      factor: p[which],
      parts: choice.parts[which],
      slice,
    });
  const [left, right] = [side('left'), side('right')];
  const products = new Matrices(emitter, choice, sub);
  const shared = [...left.arrays, ...right.arrays];

  const turn = (): void => {
    left.fill();
    right.fill();
    emitter.push({ kind: 'barrier' });
    products.multiply(left.staged, right.staged);
    emitter.push({ kind: 'barrier' });
  };
  const finish = new Finish(emitter, work, compute, p, choice, { blocks, products, sub });
  shared.push(finish.scratch, ...[...products.sums.values()].map(s => s.array));
  const terms = D.constantValue(blocks.depth.total);
  if (terms === undefined || terms > longest) {
    const totals = finish.totals();
    const slices = Math.max(1, Math.floor(longest / choice.depth));
    const many: Axis = { name: 'slices', extent: ceilDiv(slice.extent, slices) };
    loop(emitter, many, () => {
      const from = emitter.bind('from', K.scale(emitter.index(A.index(many)), slices));
      const to = emitter.bind('to', K.binary('min', K.sum([from, K.int(slices)]), emitter.dim(slice.extent)));
      const name = emitter.name('slice');
      emitter.setAxis(slice, K.ref(name));
      emitter.push({ kind: 'for', name, from, to, step: 1, body: emitter.block(turn, name) });
      finish.putAside(totals);
    });
    finish.store(totals);
  } else {
    loop(emitter, slice, turn);
    finish.store();
  }
  return { groups: blocks.groups, shared };
}

interface Corner {
  readonly row: KExpr;
  readonly column: KExpr;
}

/** The matrices of results that a subgroup has. */
class Matrices {
  readonly names: readonly (readonly string[])[];
  /** Of factors, beside the products. */
  readonly sums: ReadonlyMap<Side, SideSums>;
  readonly #emitter: Emitter;
  readonly #choice: MatrixChoice;
  readonly #sub: Corner;

  constructor(emitter: Emitter, choice: MatrixChoice, sub: Corner) {
    this.#emitter = emitter;
    this.#choice = choice;
    this.#sub = sub;
    const { m, n, result } = choice.shape;
    const type: MatrixType = { use: 'result', dtype: result, rows: m, columns: n };
    this.names = range(choice.subgroupRows / m).map(i =>
      range(choice.subgroupColumns / n).map(j => {
        const name = emitter.name(`product_${i}_${j}`);
        emitter.push({ kind: 'matrix', name, type, value: 0 });
        return name;
      }),
    );
    this.sums = new Map(choice.sums.map(which => [which, new SideSums(emitter, choice, which)]));
  }

  multiply(left: Staged, right: Staged): void {
    const { m, n, k, component: dtype } = this.#choice.shape;
    const emitter = this.#emitter;
    const name = emitter.name('k');
    const step = K.ref(name);
    const body = emitter.block(() => {
      const load = (use: 'left' | 'right', { arrays, place }: Staged, at: KExpr): string[] =>
        arrays.map(({ name: array }) => {
          const made = emitter.name(use);
          const [rows, columns] = use === 'left' ? [m, k] : [k, n];
          const type: MatrixType = { use, dtype, rows, columns };
          emitter.push({ kind: 'load-matrix', name: made, type, array, ...place(at, step) });
          return made;
        });
      const ls = this.names.map((_, i) => load('left', left, K.sum([this.#sub.row, K.int(i * m)])));
      const rs = this.names[0]!.map((_, j) => load('right', right, K.sum([this.#sub.column, K.int(j * n)])));
      for (const [i, j, x, y] of partProducts(ls, rs))
        emitter.push({ kind: 'multiply-matrix', result: this.names[i]![j]!, left: x, right: y });
      for (const [which, sums] of this.sums) sums.add((which === 'left' ? ls : rs).map(parts => parts[0]!));
    }, name);
    const to = K.int(this.#choice.depth);
    emitter.push({ kind: 'for', name, from: K.int(0), to, step: k, body });
  }

  zero(): void {
    for (const name of this.names.flat()) this.#emitter.push({ kind: 'zero-matrix', name });
  }
}

/** All products of parts but that of two second ones, the largest last. */
function* partProducts(
  lefts: readonly (readonly string[])[],
  rights: readonly (readonly string[])[],
): Generator<[i: number, j: number, left: string, right: string]> {
  for (const order of [1, 0])
    for (const [i, ls] of lefts.entries())
      for (const [j, rs] of rights.entries())
        for (const [a, x] of ls.entries()) {
          const y = rs[order - a];
          if (y !== undefined) yield [i, j, x, y];
        }
}

interface Parts {
  readonly blocks: ProductBlocks;
  readonly products: Matrices;
  readonly sub: Corner;
}

/** What becomes of the results: strips of matrices go through memory of the subgroup, one after the other. */
class Finish {
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
