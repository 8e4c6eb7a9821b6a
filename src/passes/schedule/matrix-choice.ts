import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import type { MatrixFactors, MatrixShape, Target } from '../../ir/target.ts';
import { nominalValue } from './grid.ts';
import type { Product } from './product.ts';
import { stored } from './sides.ts';

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

/**
 * A large GPU: workgroups that run at once, what a step of the reduction costs beside its work and how much of that is done in
 * a cycle, cycles of a nanosecond; the shortest reduction that is worth a workgroup of its own.
 */
const machine = {
  workgroups: 128,
  step: 150,
  productsPerCycle: 1024,
  staged: 16,
  clock: 1.7,
  shortest: 512,
};

/** A block, with the parts that the reduction is cut into, and what that is estimated to take. */
export interface RankedMatrices {
  readonly choice: MatrixChoice;
  readonly split?: { readonly along: Axis; readonly pieces: number };
  /** Nanoseconds. */
  readonly time: number;
}

/** The blocks that the target has room for; none where it has no matrices for such factors. */
export function matrixChoices(compute: Compute, p: Product, target: Target): RankedMatrices[] {
  const units = target.matrices;
  if (!units) return [];
  const [left, right] = [partsOf(p.left, units.factors), partsOf(p.right, units.factors)];
  if (!left || !right) return [];
  const sums = (['left', 'right'] as const).filter(which => p.parts.includes(which));
  // What a scaled factor sums up to would have to be scaled back on its own.
  if (sums.length > 0 && left + right > 2) return [];
  return choices(target, { left, right }, sums).map(choice => rank(compute, p, choice));
}

const size = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * nominalValue(a.extent), 1);

/** Whether a product is worth a workgroup for each block. */
export function isLargeEnough(compute: Compute, p: Product): boolean {
  const [rows, columns, depth] = [size(p.rows), size(p.columns), size(compute.reduce!.axes)];
  return Math.min(rows, columns, depth) >= 16 && rows * columns * depth >= 2 ** 17;
}

function rank(compute: Compute, p: Product, choice: MatrixChoice): RankedMatrices {
  const { left, right } = choice.parts;
  const [rows, columns, depth] = [size(p.rows), size(p.columns), size(compute.reduce!.axes)];
  const groups = Math.ceil(rows / choice.rows) * Math.ceil(columns / choice.columns) * size(p.batch);
  const split = splitOf(compute, groups);
  const pieces = split?.pieces ?? 1;
  const products = choice.rows * choice.columns * choice.depth * (left + right - 1);
  const staged = (choice.rows * left + choice.columns * right) * choice.depth;
  const step = products / machine.productsPerCycle + staged / machine.staged + machine.step;
  const steps = Math.ceil(Math.ceil(depth / choice.depth) / pieces);
  const cycles = Math.ceil((groups * pieces) / machine.workgroups) * steps * step;
  return { choice, ...(split && { split }), time: cycles / machine.clock };
}

/** Cuts the longest reduction axis where the blocks of the outputs are too few to keep a large GPU busy. */
function splitOf(compute: Compute, groups: number): RankedMatrices['split'] {
  const { axes } = compute.reduce!;
  const [along] = [...axes].sort((a, b) => nominalValue(b.extent) - nominalValue(a.extent));
  const most = Math.min(
    nominalValue(along!.extent),
    size(axes) / machine.shortest,
    machine.workgroups / groups,
  );
  const pieces = 2 ** Math.floor(Math.log2(most));
  return pieces >= 2 ? { along: along!, pieces } : undefined;
}

/** `matrices 128x128x32 of 64x32 by 16x16x16 strips of 2 split 4`: blocks of workgroup and subgroup, matrices. */
export function matrixText({ choice, split }: RankedMatrices): string {
  const { rows, columns, depth, subgroupRows, subgroupColumns, shape, strip } = choice;
  const own = `${subgroupRows}x${subgroupColumns} by ${shape.m}x${shape.n}x${shape.k}`;
  const parts = split ? ` split ${split.pieces}` : '';
  return `matrices ${rows}x${columns}x${depth} of ${own} strips of ${strip}${parts}`;
}

/** How many f16 stand for an element of a factor; undefined where that is not allowed. */
function partsOf(factor: Expr, factors: MatrixFactors = 'exact'): 1 | 2 | undefined {
  if (stored(factor).dtype === 'f16' || factors === 'rounded') return 1;
  return factors === 'split' ? 2 : undefined;
}

/** Every block that the target has room for, with its matrices of most products. */
function choices(target: Target, parts: MatrixChoice['parts'], sums: MatrixChoice['sums']): MatrixChoice[] {
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
