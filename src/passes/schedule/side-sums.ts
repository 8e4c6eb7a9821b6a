import type { KExpr, MatrixType, SharedArray } from '../../ir/kernel.ts';
import type { Emitter } from './emitter.ts';
import * as K from './kexpr.ts';
import { extentOf, type MatrixChoice, range, type Side, subgroupsOf } from './matrix-choice.ts';

/**
 * The sums of one factor beside the product (the bias gradient beside the weight gradient): matrices of it times one of
 * ones, all of whose columns (rows, for the right factor) are that sum.
 */
export class SideSums {
  readonly array: SharedArray;
  readonly #emitter: Emitter;
  readonly #choice: MatrixChoice;
  readonly #side: Side;
  readonly #ones: string;
  readonly #names: readonly string[];

  constructor(emitter: Emitter, choice: MatrixChoice, side: Side) {
    this.#emitter = emitter;
    this.#choice = choice;
    this.#side = side;
    const { m, n, k, component, result } = choice.shape;
    const isLeft = side === 'left';
    const size = extentOf(choice, side) * subgroupsOf(choice);
    this.array = { name: emitter.name(`${side}_sums`), dtype: 'f32', size };
    const ones: MatrixType = isLeft
      ? { use: 'right', dtype: component, rows: k, columns: n }
      : { use: 'left', dtype: component, rows: m, columns: k };
    this.#ones = emitter.name('ones');
    emitter.push({ kind: 'matrix', name: this.#ones, type: ones, value: 1 });
    this.#names = range(extentOf(choice, side) / (isLeft ? m : n)).map(i => {
      const name = emitter.name(`${side}_sum_${i}`);
      const type: MatrixType = { use: 'result', dtype: result, rows: m, columns: n };
      emitter.push({ kind: 'matrix', name, type, value: 0 });
      return name;
    });
  }

  /** Adds matrices of the factor, one for each that the subgroup has along this side. */
  add(factors: readonly string[]): void {
    for (const [i, factor] of factors.entries()) {
      const [left, right] = this.#side === 'left' ? [factor, this.#ones] : [this.#ones, factor];
      this.#emitter.push({ kind: 'multiply-matrix', result: this.#names[i]!, left, right });
    }
  }

  /** The sum of a row, or column, of the subgroup's block. */
  at(position: KExpr): KExpr {
    const index = K.sum([K.scale(K.builtin('subgroup'), extentOf(this.#choice, this.#side)), position]);
    return { kind: 'load-shared', dtype: 'f32', array: this.array.name, index };
  }

  /** Brings the sums to where `at` finds them, through `scratch` from `base` on; `more`: adds them to what is there, and begins anew. */
  putAside(scratch: SharedArray, base: KExpr, more: boolean): void {
    const emitter = this.#emitter;
    const { m, n } = this.#choice.shape;
    const isLeft = this.#side === 'left';
    const lane = K.builtin('lane');
    for (const [i, matrix] of this.#names.entries()) {
      const place = { array: scratch.name, index: base, stride: K.int(n) };
      emitter.push({ kind: 'store-matrix', matrix, ...place });
      emitter.push({ kind: 'barrier' });
      const from = K.sum([base, isLeft ? K.scale(lane, n) : lane]);
      const sum: KExpr = { kind: 'load-shared', dtype: 'f32', array: scratch.name, index: from };
      const known = this.at(K.sum([lane, K.int(i * (isLeft ? m : n))]));
      if (known.kind !== 'load-shared') throw new Error('sums lie in workgroup memory');
      const value = more ? K.binary('add', known, sum) : sum;
      const { array, index } = known;
      const then = emitter.block(() => emitter.push({ kind: 'store-shared', array, index, value }));
      emitter.push({ kind: 'if', condition: K.binary('lt', lane, K.int(isLeft ? m : n)), then });
      emitter.push({ kind: 'barrier' });
      if (more) emitter.push({ kind: 'zero-matrix', name: matrix });
    }
  }
}
