import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import { loadsOf } from '../fuse/definition.ts';
import { nominalValue } from './grid.ts';

/**
 * A sum of products seen as a matrix product: `rows` are the axes that only the left factor depends on, `columns`
 * those of the right factor alone, `batch` those of both. Convolution and its adjoints are the same case
 * (implicit GEMM): their factors merely load at computed places.
 */
export interface Product {
  readonly left: Expr;
  readonly right: Expr;
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly batch: readonly Axis[];
  /** For every part of the reduction: the product itself, or the sum of one factor (bias gradient). */
  readonly parts: readonly ('product' | 'left' | 'right')[];
}

/** Recognises the structure; undefined where the reduction is anything else. */
export function asProduct(compute: Compute): Product | undefined {
  const reduce = compute.reduce!;
  const monoids = reduce.monoid.parts ?? [reduce.monoid];
  if (monoids.some(m => m.name !== 'sum' || m.types[0] !== 'f32')) return undefined;
  if (reduce.guard?.length) return undefined;
  const main = reduce.lift.find(e => e.kind === 'binary' && e.op === 'mul');
  if (main?.kind !== 'binary') return undefined;
  const { a: left, b: right } = main;
  if (loadsOf([left]).length === 0 || loadsOf([right]).length === 0) return undefined;
  const inLeft = axesOf(left);
  const inRight = axesOf(right);
  const rows = compute.axes.filter(a => inLeft.has(a) && !inRight.has(a));
  const columns = compute.axes.filter(a => inRight.has(a) && !inLeft.has(a));
  const batch = compute.axes.filter(a => inLeft.has(a) === inRight.has(a));
  if (rows.length === 0 || columns.length === 0) return undefined;
  const keys = { product: E.exprKey(main), left: E.exprKey(left), right: E.exprKey(right) };
  const parts = reduce.lift.map(e => {
    const key = E.exprKey(e);
    return key === keys.product
      ? 'product'
      : key === keys.left
        ? 'left'
        : key === keys.right
          ? 'right'
          : undefined;
  });
  if (parts.some(p => p === undefined) || parts.filter(p => p === 'product').length !== 1) return undefined;
  return { left, right, rows, columns, batch, parts: parts as Product['parts'] };
}

export function axesOf(e: Expr): Set<Axis> {
  const axes = new Set<Axis>();
  E.visitExpr(e, { axis: a => void axes.add(a) });
  return axes;
}

/** Sizes of the block of one workgroup and of the block of one invocation inside it. */
export interface BlockChoice {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly perRow: number;
  readonly perColumn: number;
}

export const invocations = (c: BlockChoice): number => (c.rows / c.perRow) * (c.columns / c.perColumn);

const small: BlockChoice = { rows: 32, columns: 32, depth: 16, perRow: 4, perColumn: 4 };
const large: BlockChoice = { rows: 64, columns: 64, depth: 16, perRow: 4, perColumn: 4 };

/** A block that fits the problem and the target; undefined where tiles in registers do as well. */
export function chooseBlock(
  compute: Compute,
  p: Product,
  limits: { maxComputeInvocationsPerWorkgroup: number; maxComputeWorkgroupStorageSize: number },
): BlockChoice | undefined {
  const size = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const [rows, columns, depth] = [size(p.rows), size(p.columns), size(compute.reduce!.axes)];
  if (rows < 16 || columns < 16 || depth < 16 || rows * columns * depth < 2 ** 17) return undefined;
  const fits = (c: BlockChoice): boolean =>
    invocations(c) <= limits.maxComputeInvocationsPerWorkgroup &&
    4 * c.depth * (c.rows + c.columns + 2) <= limits.maxComputeWorkgroupStorageSize;
  const groups = Math.ceil(rows / 64) * Math.ceil(columns / 64) * size(p.batch);
  return [large, small].find(c => fits(c) && (c === small || (groups >= 128 && columns >= 64)));
}

/** Workgroups that keep a large GPU busy, and the shortest reduction that is worth a workgroup of its own. */
const enough = { groups: 128, depth: 512 };

/** Cuts the longest reduction axis where the blocks of the outputs are too few; undefined where they suffice. */
export function chooseDepthSplit(
  compute: Compute,
  p: Product,
  block: Pick<BlockChoice, 'rows' | 'columns'>,
): { along: Axis; pieces: number } | undefined {
  const size = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const groups =
    Math.ceil(size(p.rows) / block.rows) * Math.ceil(size(p.columns) / block.columns) * size(p.batch);
  const [along] = [...compute.reduce!.axes].sort((a, b) => nominalValue(b.extent) - nominalValue(a.extent));
  const most = Math.min(
    nominalValue(along!.extent),
    size(compute.reduce!.axes) / enough.depth,
    enough.groups / groups,
  );
  const pieces = 2 ** Math.floor(Math.log2(most));
  return pieces >= 2 ? { along: along!, pieces } : undefined;
}
