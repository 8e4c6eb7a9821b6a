import type { KExpr, MatrixType } from '../../ir/kernel.ts';
import type { Emitter } from './emitter.ts';
import * as K from './kexpr.ts';
import { type MatrixChoice, range, type Side } from './matrix-choice.ts';
import { SideSums } from './side-sums.ts';
import type { Staged } from './stage-factor.ts';

/** Where the block of a subgroup begins in that of its workgroup. */
export interface Corner {
  readonly row: KExpr;
  readonly column: KExpr;
}

/** The matrices of results that a subgroup has. */
export class Matrices {
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
