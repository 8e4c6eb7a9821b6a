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
  /** Number of workgroups. */
  readonly groups: Dim;
  readonly shared: readonly SharedArray[];
  readonly body: readonly Stmt[];
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
  /** i32: `group` = linear workgroup number, `local` = number of the invocation in it, `lane` = number in its subgroup. */
  | {
      readonly kind: 'builtin';
      readonly dtype: 'i32';
      readonly name: 'group' | 'local' | 'lane';
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
