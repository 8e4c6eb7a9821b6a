import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { type KExpr, lanesOf, type SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { blockedLoops, type Variable } from './blocked.ts';
import { type BlockChoice, invocations, pitchesOf } from './blocks.ts';
import type { Emitter } from './emitter.ts';
import { bound, Fill, type FillOrder, type Flat, fillOrder, flat, inputsInVectors, placeOf } from './fill.ts';
import * as K from './kexpr.ts';
import type { Product } from './product.ts';
import { storeAll } from './tile.ts';

/**
 * Workgroup tiles: a workgroup loads a block of each factor into workgroup memory, slice by slice along the
 * reduction, and every invocation multiplies a smaller block out of it in registers.
 *
 *     for k:  acc[m, n] += left(m, k) * right(k, n)
 *  -> for each slice:  left and right blocks -> workgroup memory;  barrier
 *                      for k in slice:  acc[i, j] += l[k, m_i] * r[k, n_j];  barrier
 *
 * With `vectors` both factors lie in workgroup memory in vectors of four, and accumulators are vectors along the columns.
 * With `ahead` there are two blocks of each: while one is multiplied, the next slice is on its way into the other.
 *
 *     load slice 0;  put it into block 0;  barrier
 *     for each slice s:  load slice s + 1;  multiply out of block s % 2;  put it into the other;  barrier
 */
export function emitWorkgroupTiles(
  emitter: Emitter,
  work: Work,
  compute: Compute,
  p: Product,
  choice: BlockChoice,
): { groups: Dim; shared: SharedArray[] } {
  const m = flat(p.rows);
  const n = flat(p.columns);
  const k = flat(compute.reduce!.axes);
  const b = flat(p.batch);
  const threads = invocations(choice);
  const rowTiles = ceilDiv(m.total, choice.rows);
  const columnTiles = ceilDiv(n.total, choice.columns);

  // Which block this workgroup has: columns fastest, then rows, then the batch.
  const group = K.builtin('group');
  const columnTile = emitter.bind('column_tile', K.binary('mod', group, emitter.dim(columnTiles)));
  const restTiles = emitter.bind('rest', K.binary('floordiv', group, emitter.dim(columnTiles)));
  const rowTile = emitter.bind('row_tile', K.binary('mod', restTiles, emitter.dim(rowTiles)));
  const batchAt = emitter.bind('batch', K.binary('floordiv', restTiles, emitter.dim(rowTiles)));
  const row0 = emitter.bind('row_start', K.scale(rowTile, choice.rows));
  const column0 = emitter.bind('column_start', K.scale(columnTile, choice.columns));
  const batchPlace = placeOf(emitter, b, batchAt);

  // Neighbouring invocations make neighbouring outputs: lanes run along the side that holds the innermost axis.
  const rowsFast = p.rows.includes(compute.axes.at(-1)!);
  const lanesR = choice.rows / choice.perRow;
  const lanesC = choice.columns / choice.perColumn;
  const local = K.builtin('local');
  const fastLane = emitter.bind('fast', K.binary('mod', local, K.int(rowsFast ? lanesR : lanesC)));
  const slowLane = emitter.bind('slow', K.binary('floordiv', local, K.int(rowsFast ? lanesR : lanesC)));
  const rowLane = rowsFast ? fastLane : slowLane;
  const columnLane = rowsFast ? slowLane : fastLane;

  // An invocation has every `lanesR`-th of the rows, or of the fours of rows; columns likewise.
  const by = choice.vectors ? 4 : 1;
  const placeIn = (lane: KExpr, lanes: number, i: number): KExpr =>
    K.sum([K.scale(lane, by), K.int(Math.floor(i / by) * by * lanes + (i % by))]);
  const zero = K.splat(K.constant(0, 'f32'), by);
  const [rowParts, columnParts] = [choice.perRow / by, choice.perColumn / by];
  const products = range(choice.perRow).map(i =>
    range(columnParts).map(j => emitter.variable(`sum_${i}_${j}`, zero)),
  );
  const sums = (side: 'left' | 'right', parts: number): Variable[] =>
    p.parts.includes(side) ? range(parts).map(i => emitter.variable(`${side}_${i}`, zero)) : [];
  const [leftSums, rightSums] = [sums('left', rowParts), sums('right', columnParts)];
  const totals = [...products.flat(), ...leftSums, ...rightSums];

  const left = stored(p.left);
  const right = stored(p.right);
  const orders = factorOrders(work, compute, p, choice.vectors);
  if (choice.vectors)
    for (const input of inputsInVectors(work, [
      [left, orders.left],
      [right, orders.right],
    ]))
      emitter.readInVectors(input);
  const { left: leftPitch, right: rightPitch } = pitchesOf(choice, orders);
  const copies = choice.ahead ? 2 : 1;
  const arrayOf = (name: string, factor: Expr, pitch: number): SharedArray => ({
    name: emitter.name(name),
    dtype: factor.dtype === 'f16' ? 'f16' : 'f32',
    size: copies * choice.depth * pitch,
    ...(choice.vectors && { vectors: true }),
  });
  const leftBlock = arrayOf('left_block', left, leftPitch);
  const rightBlock = arrayOf('right_block', right, rightPitch);
  const slice: Axis = { name: 'slice', extent: ceilDiv(k.total, choice.depth) };
  const fill = (
    factor: Expr,
    order: FillOrder,
    { name: array }: SharedArray,
    side: Flat,
    start: KExpr,
  ): Fill => {
    const [width, pitch] = side === m ? [choice.rows, leftPitch] : [choice.columns, rightPitch];
    const axes = { side, start, depth: k, batch: batchPlace };
    const place = { array, width, pitch };
    return new Fill(emitter, factor, order, place, axes, { slice: choice.depth, threads });
  };
  const fills = [
    fill(left, orders.left, leftBlock, m, row0),
    fill(right, orders.right, rightBlock, n, column0),
  ];
  /** Emits the loads of a slice; what is given back puts them into block `copy`. */
  const load = (at: KExpr, beyond = false): ((copy: KExpr) => void) => {
    const puts = fills.map(f => f.load(at, beyond));
    return copy => {
      puts[0]!(K.scale(copy, choice.depth * leftPitch));
      puts[1]!(K.scale(copy, choice.depth * rightPitch));
    };
  };

  const multiply = (current: readonly Variable[], copy: KExpr): void => {
    const step = emitter.name('k');
    const inner = emitter.block(() => {
      const read = ({ name: array, dtype }: SharedArray, pitch: number, at: KExpr): KExpr =>
        emitter.bind(
          array === leftBlock.name ? 'l' : 'r',
          K.cast('f32', {
            kind: 'load-shared',
            dtype,
            array,
            index: K.sum([K.scale(K.ref(step), pitch), at, K.scale(copy, choice.depth * pitch)]),
            ...K.several(by),
          }),
        );
      const ls = range(rowParts).map(i => read(leftBlock, leftPitch, placeIn(rowLane, lanesR, i * by)));
      const rs = range(columnParts).map(j =>
        read(rightBlock, rightPitch, placeIn(columnLane, lanesC, j * by)),
      );
      const terms = [
        ...range(choice.perRow).flatMap(i => rs.map(r => K.binary('mul', one(ls, i), r))),
        ...(leftSums.length > 0 ? ls : []),
        ...(rightSums.length > 0 ? rs : []),
      ];
      terms.forEach((term, i) => {
        const { name } = current[i]!;
        emitter.push({ kind: 'assign', name, value: K.binary('add', current[i]!, term) });
      });
    }, step);
    emitter.push({ kind: 'for', name: step, from: K.int(0), to: K.int(choice.depth), step: 1, body: inner });
  };

  const barrier = (): void => emitter.push({ kind: 'barrier' });
  if (choice.ahead) {
    load(K.int(0))(K.int(0));
    barrier();
  }
  blockedLoops(emitter, [slice], choice.depth, totals, current => {
    const at = emitter.index(A.index(slice));
    if (choice.ahead) {
      const copy = emitter.bind('copy', K.binary('mod', at, K.int(2)));
      const put = load(K.sum([at, K.int(1)]), true);
      multiply(current, copy);
      put(K.binary('sub', K.int(1), copy));
    } else {
      load(at)(K.int(0));
      barrier();
      multiply(current, K.int(0));
    }
    barrier();
  });

  for (const i of range(choice.perRow))
    for (const j of range(choice.perColumn)) {
      const row = emitter.bind('row', K.sum([row0, placeIn(rowLane, lanesR, i)]));
      const column = emitter.bind('column', K.sum([column0, placeIn(columnLane, lanesC, j)]));
      const positions = new Map([...batchPlace, ...placeOf(emitter, m, row), ...placeOf(emitter, n, column)]);
      const guards = [
        ...bound(emitter, m.total, choice.rows, row),
        ...bound(emitter, n.total, choice.columns, column),
      ];
      const reduced = (component: number): KExpr => {
        const part = p.parts[component]!;
        return part === 'product'
          ? one(products[i]!, j)
          : part === 'left'
            ? one(leftSums, i)
            : one(rightSums, j);
      };
      const then = emitter.block(() =>
        storeAll(emitter, work, compute.outs, compute.axes, { axis: a => positions.get(a) }, reduced),
      );
      if (guards.length === 0) for (const s of then) emitter.push(s);
      else emitter.push({ kind: 'if', condition: guards.reduce((x, y) => K.binary('and', x, y)), then });
    }
  return { groups: D.mul(D.mul(rowTiles, columnTiles), b.total), shared: [leftBlock, rightBlock] };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The i-th number of a row of scalars or of vectors. */
function one(parts: readonly KExpr[], i: number): KExpr {
  const lanes = lanesOf(parts[0]!);
  return K.lane(parts[Math.floor(i / lanes)]!, i % lanes);
}

/** A factor that is widened as it is loaded waits in workgroup memory as it was, in half the space. */
const stored = (factor: Expr): Expr =>
  factor.kind === 'cast' && factor.a.kind === 'load' && factor.a.dtype === 'f16' ? factor.a : factor;

/** How both factors are read. */
export const factorOrders = (
  work: Work,
  compute: Compute,
  p: Product,
  vectors: boolean,
): { readonly left: FillOrder; readonly right: FillOrder } => ({
  left: fillOrder(work, compute, stored(p.left), p.rows, vectors),
  right: fillOrder(work, compute, stored(p.right), p.columns, vectors),
});

function ceilDiv(d: Dim, by: number): Dim {
  return D.floorDiv(D.add(d, D.constant(by - 1)), D.constant(by));
}
