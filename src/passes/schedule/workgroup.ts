import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr, SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { blockedLoops, type Variable } from './blocked.ts';
import type { Emitter } from './emitter.ts';
import { loop } from './grid.ts';
import * as K from './kexpr.ts';
import { type BlockChoice, invocations, type Product } from './product.ts';
import { bound, ceilDiv, type Flat, guardedExpr, isContiguous, ProductBlocks, stored } from './sides.ts';
import { storeAll } from './tile.ts';

/**
 * Workgroup tiles: a workgroup loads a block of each factor into workgroup memory, slice by slice along the
 * reduction, and every invocation multiplies a smaller block out of it in registers.
 *
 *     for k:  acc[m, n] += left(m, k) * right(k, n)
 *  -> for each slice:  left and right blocks -> workgroup memory;  barrier
 *                      for k in slice:  acc[i, j] += l[k, m_i] * r[k, n_j];  barrier
 */
export function emitWorkgroupTiles(
  emitter: Emitter,
  work: Work,
  compute: Compute,
  p: Product,
  choice: BlockChoice,
): { groups: Dim; shared: SharedArray[] } {
  const threads = invocations(choice);
  const blocks = new ProductBlocks(emitter, compute, p, choice);
  const { rows: m, columns: n, depth: k } = blocks;
  const row0 = emitter.bind('row_start', K.scale(blocks.rowTile, choice.rows));
  const column0 = emitter.bind('column_start', K.scale(blocks.columnTile, choice.columns));

  // Neighbouring invocations make neighbouring outputs: lanes run along the side that holds the innermost axis.
  const rowsFast = p.rows.includes(compute.axes.at(-1)!);
  const lanesR = choice.rows / choice.perRow;
  const lanesC = choice.columns / choice.perColumn;
  const local = K.builtin('local');
  const fastLane = emitter.bind('fast', K.binary('mod', local, K.int(rowsFast ? lanesR : lanesC)));
  const slowLane = emitter.bind('slow', K.binary('floordiv', local, K.int(rowsFast ? lanesR : lanesC)));
  const rowLane = rowsFast ? fastLane : slowLane;
  const columnLane = rowsFast ? slowLane : fastLane;

  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const products = range(choice.perRow).map(i =>
    range(choice.perColumn).map(j => emitter.variable(`sum_${i}_${j}`, K.constant(0, 'f32'))),
  );
  const leftSums = p.parts.includes('left')
    ? range(choice.perRow).map(i => emitter.variable(`left_${i}`, K.constant(0, 'f32')))
    : [];
  const rightSums = p.parts.includes('right')
    ? range(choice.perColumn).map(j => emitter.variable(`right_${j}`, K.constant(0, 'f32')))
    : [];

  const left = stored(p.left);
  const right = stored(p.right);
  const leftArray = emitter.name('left_block');
  const rightArray = emitter.name('right_block');
  const shared: SharedArray[] = [
    { name: leftArray, dtype: sharedType(left), size: choice.depth * choice.rows },
    { name: rightArray, dtype: sharedType(right), size: choice.depth * choice.columns },
  ];
  const slice: Axis = { name: 'slice', extent: ceilDiv(k.total, choice.depth) };

  const fill = (array: string, factor: Expr, side: Flat, start: KExpr, width: number): void => {
    const contiguous = isContiguous(compute, factor, k);
    const count = (width * choice.depth) / threads;
    const turn: Axis = { name: 'turn', extent: D.constant(count) };
    loop(emitter, turn, () => {
      const e = emitter.bind('e', K.sum([K.scale(emitter.index(A.index(turn)), threads), local]));
      const fast = contiguous ? choice.depth : width;
      const inFast = emitter.bind('e_fast', K.binary('mod', e, K.int(fast)));
      const inSlow = emitter.bind('e_slow', K.binary('floordiv', e, K.int(fast)));
      const depthAt = contiguous ? inFast : inSlow;
      const sideAt = contiguous ? inSlow : inFast;
      const sideIndex = emitter.bind('side', K.sum([start, sideAt]));
      const depth0 = K.scale(emitter.index(A.index(slice)), choice.depth);
      const depthIndex = emitter.bind('depth', K.sum([depth0, depthAt]));
      const positions = new Map([
        ...blocks.batch,
        ...blocks.place(side, sideIndex),
        ...blocks.place(k, depthIndex),
      ]);
      // The flat positions may lie past the end; the guards send those loads to element 0 and make them 0.
      const guards = [
        ...bound(emitter, side.total, width, sideIndex),
        ...bound(emitter, k.total, choice.depth, depthIndex),
      ];
      const inside =
        guards.length > 0
          ? emitter.bind(
              'valid',
              guards.reduce((x, y) => K.binary('and', x, y)),
            )
          : undefined;
      const value = guardedExpr(emitter, E.mapExpr(factor, { axis: a => positions.get(a) }), inside);
      const index = K.sum([K.scale(depthAt, width), sideAt]);
      emitter.push({ kind: 'store-shared', array, index, value });
    });
  };

  const totals = [...products.flat(), ...leftSums, ...rightSums];
  const body = (current: readonly Variable[]): void => {
    fill(leftArray, left, m, row0, choice.rows);
    fill(rightArray, right, n, column0, choice.columns);
    emitter.push({ kind: 'barrier' });
    const step = emitter.name('k');
    const inner = emitter.block(() => {
      const load = (factor: Expr, array: string, width: number, lane: KExpr, offset: number): KExpr =>
        K.cast('f32', {
          kind: 'load-shared',
          dtype: sharedType(factor),
          array,
          index: K.sum([K.scale(K.ref(step), width), lane, K.int(offset)]),
        });
      const ls = range(choice.perRow).map(i =>
        emitter.bind('l', load(left, leftArray, choice.rows, rowLane, i * lanesR)),
      );
      const rs = range(choice.perColumn).map(j =>
        emitter.bind('r', load(right, rightArray, choice.columns, columnLane, j * lanesC)),
      );
      const addTo = (v: Variable, value: KExpr): void =>
        emitter.push({ kind: 'assign', name: v.name, value: K.binary('add', v, value) });
      const terms = [
        ...ls.flatMap(l => rs.map(r => K.binary('mul', l, r))),
        ...(p.parts.includes('left') ? ls : []),
        ...(p.parts.includes('right') ? rs : []),
      ];
      terms.forEach((term, i) => {
        addTo(current[i]!, term);
      });
    });
    emitter.push({ kind: 'for', name: step, from: K.int(0), to: K.int(choice.depth), step: 1, body: inner });
    emitter.push({ kind: 'barrier' });
  };
  blockedLoops(emitter, [slice], choice.depth, totals, body);

  for (const i of range(choice.perRow))
    for (const j of range(choice.perColumn)) {
      const row = emitter.bind('row', K.sum([row0, rowLane, K.int(i * lanesR)]));
      const column = emitter.bind('column', K.sum([column0, columnLane, K.int(j * lanesC)]));
      const positions = new Map([...blocks.batch, ...blocks.place(m, row), ...blocks.place(n, column)]);
      const guards = [
        ...bound(emitter, m.total, choice.rows, row),
        ...bound(emitter, n.total, choice.columns, column),
      ];
      const reduced = (component: number): KExpr => {
        const part = p.parts[component]!;
        return part === 'product' ? products[i]![j]! : part === 'left' ? leftSums[i]! : rightSums[j]!;
      };
      const then = emitter.block(() =>
        storeAll(emitter, work, compute.outs, compute.axes, { axis: a => positions.get(a) }, reduced),
      );
      if (guards.length === 0) for (const s of then) emitter.push(s);
      else emitter.push({ kind: 'if', condition: guards.reduce((x, y) => K.binary('and', x, y)), then });
    }
  return { groups: blocks.groups, shared };
}

const sharedType = (factor: Expr): 'f16' | 'f32' => (factor.dtype === 'f16' ? 'f16' : 'f32');
