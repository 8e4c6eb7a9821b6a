import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import type { MatrixShape, Target } from '../../ir/target.ts';
import { nominalValue } from './grid.ts';
import type { Product } from './product.ts';
import { stored } from './sides.ts';

/** What may become of factors in f32 so that matrix units take them; those in f16 they take as they are. */
export type MatrixFactors =
  /** Nothing: only factors in f16 are taken. */
  | 'exact'
  /** They are rounded to f16. */
  | 'rounded'
  /** They are scaled, and taken as two numbers in f16 each. */
  | 'split';

/** Blocks of a workgroup and of each of its subgroups, in elements. */
export interface MatrixChoice {
  readonly shape: MatrixShape;
  readonly subgroupSize: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly subgroupRows: number;
  readonly subgroupColumns: number;
  /** Matrices of results that pass through workgroup memory together. */
  readonly strip: number;
  readonly parts: { readonly left: 1 | 2; readonly right: 1 | 2 };
  /** Factors that are summed beside the product. */
  readonly sums: readonly Side[];
}

export type Side = 'left' | 'right';

/** Rows or columns that a subgroup has. */
export const extentOf = (c: MatrixChoice, side: Side): number =>
  side === 'left' ? c.subgroupRows : c.subgroupColumns;

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const subgroupsOf = (c: MatrixChoice): number =>
  (c.rows / c.subgroupRows) * (c.columns / c.subgroupColumns);

export const threadsOf = (c: MatrixChoice): number => subgroupsOf(c) * c.subgroupSize;

/** Elements that pass through the memory of a subgroup at once. */
export const scratchOf = ({ shape, strip }: MatrixChoice): number => shape.m * shape.n * strip;

/** Lines are 16 bytes longer than they need to be, so that eight of them begin in different banks. */
export const stagedStride = (fast: number): number => fast + 8;

export const stagedSize = (width: number, depth: number, deep: boolean): number =>
  deep ? width * stagedStride(depth) : depth * stagedStride(width);

function bytesOf(c: MatrixChoice): number {
  const side = (width: number, parts: number): number =>
    2 * parts * Math.max(stagedSize(width, c.depth, true), stagedSize(width, c.depth, false));
  const sums = c.sums.reduce((n, which) => n + extentOf(c, which), 0);
  const scratch = 4 * subgroupsOf(c) * (scratchOf(c) + sums);
  return side(c.rows, c.parts.left) + side(c.columns, c.parts.right) + scratch;
}

/** Rows and columns of a workgroup's block, and of a subgroup's. */
const blocks = [
  [128, 128, 64, 32],
  [128, 128, 64, 64],
  [128, 64, 64, 32],
  [64, 128, 32, 64],
  [64, 64, 32, 32],
  [64, 32, 32, 16],
  [32, 64, 16, 32],
  [32, 32, 16, 16],
] as const;

/** Workgroups that run at once on a large GPU; what a step of the reduction costs beside its work, in cycles. */
const machine = { workgroups: 128, step: 150, productsPerCycle: 1024, staged: 16 };

/**
 * The block that is estimated to be the fastest; undefined where the target has no matrices for such factors, or the product
 * is too small for them.
 */
export function chooseMatrix(
  compute: Compute,
  p: Product,
  target: Target,
  factors: MatrixFactors,
): MatrixChoice | undefined {
  const units = target.matrices;
  if (!units) return undefined;
  const [left, right] = [partsOf(p.left, factors), partsOf(p.right, factors)];
  if (!left || !right) return undefined;
  const sums = (['left', 'right'] as const).filter(which => p.parts.includes(which));
  // What a scaled factor sums up to would have to be scaled back on its own.
  if (sums.length > 0 && left + right > 2) return undefined;
  const size = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * nominalValue(a.extent), 1);
  const [rows, columns, depth] = [size(p.rows), size(p.columns), size(compute.reduce!.axes)];
  if (rows < 16 || columns < 16 || depth < 16 || rows * columns * depth < 2 ** 17) return undefined;
  const time = (c: MatrixChoice): number => {
    const groups = Math.ceil(rows / c.rows) * Math.ceil(columns / c.columns) * size(p.batch);
    const products = c.rows * c.columns * c.depth * (left + right - 1);
    const staged = (c.rows * left + c.columns * right) * c.depth;
    const step = products / machine.productsPerCycle + staged / machine.staged + machine.step;
    return Math.ceil(groups / machine.workgroups) * Math.ceil(depth / c.depth) * step;
  };
  let best: { choice: MatrixChoice; time: number } | undefined;
  for (const choice of choices(target, { left, right }, sums)) {
    const own = time(choice);
    if (!best || own < best.time) best = { choice, time: own };
  }
  return best?.choice;
}

/** How many f16 stand for an element of a factor; undefined where that is not allowed. */
function partsOf(factor: Expr, factors: MatrixFactors): 1 | 2 | undefined {
  if (stored(factor).dtype === 'f16' || factors === 'rounded') return 1;
  return factors === 'split' ? 2 : undefined;
}

/** Every block that the target has room for, with its matrices of most products. */
export function choices(
  target: Target,
  parts: MatrixChoice['parts'],
  sums: MatrixChoice['sums'],
): MatrixChoice[] {
  const { subgroupSize, shapes } = target.matrices!;
  const able = shapes
    .filter(s => s.component === 'f16' && s.result === 'f32')
    .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
  const fits = (c: MatrixChoice): boolean =>
    c.subgroupRows % c.shape.m === 0 &&
    c.subgroupColumns % c.shape.n === 0 &&
    c.depth % c.shape.k === 0 &&
    scratchOf(c) % subgroupSize === 0 &&
    Math.max(c.shape.m, c.shape.n) <= subgroupSize &&
    (c.subgroupRows / c.shape.m) % c.strip === 0 &&
    (c.subgroupColumns / c.shape.n) % c.strip === 0 &&
    threadsOf(c) <= target.maxComputeInvocationsPerWorkgroup &&
    bytesOf(c) <= target.maxComputeWorkgroupStorageSize;
  return able.slice(0, 1).flatMap(shape =>
    blocks.flatMap(([rows, columns, subgroupRows, subgroupColumns]) =>
      [32, 16].flatMap(depth => {
        const common = {
          shape,
          subgroupSize,
          rows,
          columns,
          depth,
          subgroupRows,
          subgroupColumns,
          parts,
          sums,
        };
        return [2, 1].map((strip): MatrixChoice => ({ ...common, strip })).find(fits) ?? [];
      }),
    ),
  );
}
