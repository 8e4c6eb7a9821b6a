import type { Compute } from './compute.ts';
import type { Dim } from './dim.ts';
import type { Origin } from './graph.ts';
import type { Tensor } from './program.ts';
import type { BinaryOp, UnaryOp } from './scalar.ts';
import type { DType } from './type.ts';

/**
 * Loops, invocations, workgroup memory and barriers: what a printer sees. All names are unique in their kernel.
 * The grid is linear: invocations learn their workgroup's number as `group`, so that no dimension of the
 * dispatch can overflow.
 */
export interface Kernel {
  readonly name: string;
  readonly origin: Origin;
  /** Lines of prose for the top of the generated code. */
  readonly comments: readonly string[];
  readonly buffers: readonly KernelBuffer[];
  /** Invocations in a workgroup (one-dimensional). */
  readonly workgroupSize: number;
  /** Invocations in a subgroup, where the kernel holds only for that many. */
  readonly subgroupSize?: number;
  /** Number of workgroups. */
  readonly groups: Dim;
  readonly shared: readonly SharedArray[];
  readonly body: readonly Stmt[];
  /** How it came to be, for people: nothing is decided by it. Absent where no schedule made it. */
  readonly schedule?: KernelSchedule;
}

/** What a schedule made of a work. */
export interface KernelSchedule {
  /** `map`, `register tiles`, `shared loads`, `workgroup tiles`, `vector map`, `vector tiles`, … */
  readonly name: string;
  /** Results of one invocation along each axis that has more than one; of a subgroup on matrices; of one turn of the innermost loops on a CPU. */
  readonly tile: readonly TileSide[];
  /** Points of the reduction in straight-line code, or in one slice of workgroup memory. */
  readonly unroll: readonly TileSide[];
  /** Results of a whole workgroup, where it shares what it reads. */
  readonly workgroup?: readonly TileSide[];
  /** Which part it is, where a work became several. */
  readonly role?: string;
  /** What was fused into its work. */
  readonly absorbed: readonly string[];
  /** What it computes. */
  readonly compute: Compute;
}

export interface TileSide {
  /** The axis' name; names of several that count as one are joined by `·`. */
  readonly axis: string;
  readonly size: number;
  /** Lanes of the vectors that run along it. */
  readonly lanes?: number;
}

/** A storage binding. One tensor appears once, also when it is read and written. */
export interface KernelBuffer {
  readonly name: string;
  readonly tensor: Tensor;
  /** Element type in memory; `u8` is packed four to a word and can only be read. `bool` is a u32 word of 0 or 1. */
  readonly dtype: DType;
  readonly access: 'read' | 'read_write';
  /** Elements lie in vectors of four: four lanes at an index that is a multiple of 4 are one access. Indices still count elements. */
  readonly vectors?: true;
}

/** An array in workgroup memory. */
export interface SharedArray {
  readonly name: string;
  readonly dtype: 'f32' | 'f16' | 'i32' | 'u32';
  readonly size: number;
  /** As of a `KernelBuffer`. */
  readonly vectors?: true;
}

/**
 * A small matrix that the invocations of a subgroup hold together: factors are `left`, of M rows and K columns, and
 * `right`, of K rows and N columns; their product is a `result`, of M rows and N columns.
 */
export interface MatrixType {
  readonly use: 'left' | 'right' | 'result';
  readonly dtype: 'f16' | 'f32';
  readonly rows: number;
  readonly columns: number;
}

/**
 * Where a matrix lies in a buffer or a shared array: element (r, c) at `index` + r * `stride` + c, or, where columns are
 * contiguous (`byColumns`), at `index` + c * `stride` + r.
 */
export type MatrixPlace = {
  readonly index: KExpr;
  readonly stride: KExpr;
  readonly byColumns?: boolean;
} & (
  | { readonly buffer: string; readonly array?: undefined }
  | { readonly array: string; readonly buffer?: undefined }
);

export type Stmt =
  | { readonly kind: 'let'; readonly name: string; readonly value: KExpr }
  | {
      readonly kind: 'var';
      readonly name: string;
      readonly dtype: DType;
      readonly lanes?: number;
      readonly value: KExpr;
    }
  | { readonly kind: 'assign'; readonly name: string; readonly value: KExpr }
  /** A value of several lanes goes to as many consecutive elements. */
  | { readonly kind: 'store'; readonly buffer: string; readonly index: KExpr; readonly value: KExpr }
  | { readonly kind: 'store-shared'; readonly array: string; readonly index: KExpr; readonly value: KExpr }
  /** for (var name = from; name < to; name += step) */
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly from: KExpr;
      readonly to: KExpr;
      readonly step: number;
      readonly body: readonly Stmt[];
    }
  | { readonly kind: 'if'; readonly condition: KExpr; readonly then: readonly Stmt[] }
  /** All invocations of the workgroup; only in uniform control flow. */
  | { readonly kind: 'barrier' }
  /** `name` = `value` of lane `lane`, or the sum over the subgroup; only in uniform control flow. */
  | {
      readonly kind: 'subgroup';
      readonly op: 'broadcast' | 'add';
      readonly name: string;
      readonly value: KExpr;
      readonly lane?: number;
    }
  /**
   * Matrices are of the whole subgroup: in control flow that is the same for the workgroup, with places that are the
   * same for the subgroup. `matrix` declares one, all elements `value`; a result can be added to and made zero again.
   */
  | { readonly kind: 'matrix'; readonly name: string; readonly type: MatrixType; readonly value: number }
  | { readonly kind: 'zero-matrix'; readonly name: string }
  | ({ readonly kind: 'load-matrix'; readonly name: string; readonly type: MatrixType } & MatrixPlace)
  /** result += left * right, in the precision of the result. */
  | {
      readonly kind: 'multiply-matrix';
      readonly result: string;
      readonly left: string;
      readonly right: string;
    }
  | ({ readonly kind: 'store-matrix'; readonly matrix: string } & MatrixPlace)
  | { readonly kind: 'comment'; readonly text: string };

/**
 * Integer arithmetic is i32 (indices) unless a dtype says otherwise; `floordiv` and `mod` have non-negative operands.
 *
 * An expression has one lane, or `lanes` of them (4 or 8): arithmetic goes lane by lane, and both operands have as many.
 * Indices, conditions of `if` and bounds of loops have one.
 */
export type KExpr =
  | { readonly kind: 'const'; readonly dtype: DType; readonly value: number; readonly lanes?: undefined }
  | { readonly kind: 'ref'; readonly dtype: DType; readonly name: string; readonly lanes?: number }
  /**
   * i32: `group` = linear workgroup number, `local` = number of the invocation in it, `subgroup` = number of its subgroup in
   * the workgroup, `lane` = number in its subgroup.
   */
  | {
      readonly kind: 'builtin';
      readonly dtype: 'i32';
      readonly name: 'group' | 'local' | 'subgroup' | 'lane';
      readonly lanes?: undefined;
    }
  /** A word of the uniform block: a free dim (i32), a run-time scalar, or a word of the random key. */
  | { readonly kind: 'uniform'; readonly dtype: DType; readonly name: string; readonly lanes?: undefined }
  /** Lane l is element index + l. Lanes whose `mask` (bool, as many lanes) fails are not read and are 0. */
  | {
      readonly kind: 'load';
      readonly dtype: DType;
      readonly buffer: string;
      readonly index: KExpr;
      readonly lanes?: number;
      readonly mask?: KExpr;
    }
  | {
      readonly kind: 'load-shared';
      readonly dtype: DType;
      readonly array: string;
      readonly index: KExpr;
      readonly lanes?: number;
    }
  | {
      readonly kind: 'unary';
      readonly dtype: DType;
      readonly op: UnaryOp;
      readonly a: KExpr;
      readonly lanes?: number;
    }
  | {
      readonly kind: 'binary';
      readonly dtype: DType;
      readonly op: BinaryOp;
      readonly a: KExpr;
      readonly b: KExpr;
      readonly lanes?: number;
    }
  | {
      readonly kind: 'select';
      readonly dtype: DType;
      readonly condition: KExpr;
      readonly a: KExpr;
      readonly b: KExpr;
      readonly lanes?: number;
    }
  | { readonly kind: 'cast'; readonly dtype: DType; readonly a: KExpr; readonly lanes?: number }
  | {
      readonly kind: 'random';
      readonly dtype: 'u32';
      readonly args: readonly [KExpr, KExpr, KExpr, KExpr];
      readonly lanes?: number;
    }
  /** The same scalar in every lane. */
  | { readonly kind: 'splat'; readonly dtype: DType; readonly lanes: number; readonly a: KExpr }
  /** Lanes made of one scalar each. */
  | {
      readonly kind: 'lanes';
      readonly dtype: DType;
      readonly lanes: number;
      readonly parts: readonly KExpr[];
    }
  /** One lane of `a`. */
  | {
      readonly kind: 'lane';
      readonly dtype: DType;
      readonly a: KExpr;
      readonly lane: number;
      readonly lanes?: undefined;
    }
  /** Lanes picked from those of `a`, which count from 0, and of `b`, which count on. */
  | {
      readonly kind: 'shuffle';
      readonly dtype: DType;
      readonly lanes: number;
      readonly a: KExpr;
      readonly b: KExpr;
      readonly picks: readonly number[];
    };

/** How many lanes a value has. */
export const lanesOf = (e: KExpr): number => e.lanes ?? 1;
