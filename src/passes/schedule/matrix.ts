import * as A from '../../ir/affine.ts';
import type { Axis, Compute } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import type { Emitter } from './emitter.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import type { MatrixChoice } from './matrix-choice.ts';
import { MatrixFinish } from './matrix-finish.ts';
import { Matrices } from './matrix-products.ts';
import type { Product } from './product.ts';
import { ceilDiv, ProductBlocks } from './sides.ts';
import { FactorStage } from './stage-factor.ts';

/** Terms after which the sum of a long product is put aside: see `blocked.ts`. Matrices add as many at once as they are deep. */
const longest = 4096;

/**
 * Products on the matrix units of subgroups: a workgroup loads a block of each factor into workgroup memory as f16, every
 * subgroup multiplies matrices out of it, and adds them up in f32. Results pass through workgroup memory once more, from
 * where each invocation takes elements to finish and store.
 *
 *     for k:  acc[m, n] += left(m, k) * right(k, n);  out[m, n] = value(acc[m, n])
 *  -> for each slice:  left and right blocks -> workgroup memory, 0 outside;  barrier;  the next ones -> registers
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
    left.readAhead();
    right.readAhead();
    products.multiply(left.staged, right.staged);
    emitter.push({ kind: 'barrier' });
  };
  const finish = new MatrixFinish(emitter, work, compute, p, choice, { blocks, products, sub });
  shared.push(finish.scratch, ...[...products.sums.values()].map(s => s.array));
  const terms = D.constantValue(blocks.depth.total);
  left.begin();
  right.begin();
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
