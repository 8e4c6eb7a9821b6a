import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr, SharedArray } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { loadsOf } from '../fuse/definition.ts';
import { blockedLoops, type Variable } from './blocked.ts';
import type { Emitter } from './emitter.ts';
import { loop, nominalValue } from './grid.ts';
import * as K from './kexpr.ts';
import { type BlockChoice, invocations, type Product } from './product.ts';
import { storeAll } from './tile.ts';

/** Axes as one number, and back. */
interface Flat {
  readonly axes: readonly Axis[];
  readonly total: Dim;
}

const flat = (axes: readonly Axis[]): Flat => ({ axes, total: D.product(axes.map(a => a.extent)) });

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
  const place = (f: Flat, at: KExpr): Map<Axis, Index> => {
    const axis: Axis = { name: 'flat', extent: f.total };
    emitter.setAxis(axis, at);
    const positions = A.unflatten(
      A.index(axis),
      f.axes.map(a => a.extent),
    );
    return new Map(f.axes.map((a, i) => [a, positions[i]!]));
  };
  const batchPlace = place(b, batchAt);

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
      const positions = new Map([...batchPlace, ...place(side, sideIndex), ...place(k, depthIndex)]);
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
      const positions = new Map([...batchPlace, ...place(m, row), ...place(n, column)]);
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
  return { groups: D.mul(D.mul(rowTiles, columnTiles), b.total), shared };
}

/** A factor that is widened as it is loaded waits in workgroup memory as it was, in half the space. */
const stored = (factor: Expr): Expr =>
  factor.kind === 'cast' && factor.a.kind === 'load' && factor.a.dtype === 'f16' ? factor.a : factor;

const sharedType = (factor: Expr): 'f16' | 'f32' => (factor.dtype === 'f16' ? 'f16' : 'f32');

function ceilDiv(d: Dim, by: number): Dim {
  return D.floorDiv(D.add(d, D.constant(by - 1)), D.constant(by));
}

/** The comparison that keeps a position inside, unless blocks divide the extent. */
function bound(emitter: Emitter, total: Dim, block: number, at: KExpr): KExpr[] {
  return D.divideExact(total, D.constant(block)) ? [] : [K.binary('lt', at, emitter.dim(total))];
}

/** Whether the factor's memory runs along the reduction. */
function isContiguous(compute: Compute, factor: Expr, k: Flat): boolean {
  const last = k.axes.at(-1)!;
  return loadsOf([factor]).some(load => {
    const { axes } = A.axisCoefficients(A.flatten(load.at, compute.inputs[load.input]!.shape));
    const step = axes.get(last);
    return (
      step !== undefined &&
      D.isConstant(step, 1) &&
      !D.isConstant(last.extent, 1) &&
      nominalValue(last.extent) >= 8
    );
  });
}

/** The expression where `inside` holds, else 0; nothing is read outside. */
function guardedExpr(emitter: Emitter, e: Expr, inside: KExpr | undefined): KExpr {
  if (!inside) return emitter.expr(e);
  const alreadyZero = e.kind === 'load' && (e.fill ?? 0) === 0;
  if (alreadyZero) return emitter.guarded(inside, () => emitter.expr(e));
  return K.select(
    inside,
    emitter.guarded(inside, () => emitter.expr(e)),
    K.constant(0, e.dtype),
  );
}
