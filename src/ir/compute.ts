import type { Dim } from './dim.ts';
import type { BinaryOp, UnaryOp } from './scalar.ts';
import type { DType, TensorType } from './type.ts';

/**
 * The one form that every kernel is generated from: for each point of `axes`, reduce `lift` over `reduce.axes`
 * with a monoid, then store one value per output. Convolution and its adjoints, matrix product, pooling,
 * elementwise chains and norms are all instances.
 */
export interface Compute {
  /** Tensors that loads refer to by position. */
  readonly inputs: readonly TensorType[];
  readonly axes: readonly Axis[];
  readonly reduce?: Reduce;
  readonly outs: readonly Out[];
}

/** An iteration variable 0 <= a < extent. Identity is the object's, the name is for people. */
export interface Axis {
  readonly name: string;
  readonly extent: Dim;
}

export interface Reduce {
  readonly axes: readonly Axis[];
  /** Points where it fails contribute nothing. May use outer axes. */
  readonly guard?: Predicate;
  /** One expression per component of the monoid. */
  readonly lift: readonly Expr[];
  readonly monoid: Monoid;
}

/** An associative merge with a neutral element over one or more scalars. */
export interface Monoid {
  readonly name: string;
  readonly types: readonly DType[];
  readonly zero: readonly Expr[];
  /** Must only combine its arguments: no loads, axes or `reduced`. `a` covers earlier points than `b`. */
  merge(a: readonly Expr[], b: readonly Expr[]): readonly Expr[];
  /** The independent reductions it is made of, in the order of their components; absent: it is one. */
  readonly parts?: readonly Monoid[];
}

export interface Out {
  readonly type: TensorType;
  /** Uses loads, `reduced` and axes; has the type's dtype. */
  readonly value: Expr;
  /** Where it is stored; absent: at the axes in order. Each element is stored exactly once. */
  readonly at?: readonly Index[];
  /** Stored only where every axis of `axes` that is not listed is 0 (a smaller tensor beside a larger one). */
  readonly keep?: readonly Axis[];
  /** Elements that `at` does not name keep what they hold: what a turn of a loop writes into its stack. */
  readonly partial?: true;
}

/** Scalar expressions; each knows its dtype. Build them with the constructors of `expr.ts`. */
export type Expr =
  | { readonly kind: 'const'; readonly dtype: DType; readonly value: number }
  /** A dim's value as i32. */
  | { readonly kind: 'dim'; readonly dtype: 'i32'; readonly dim: Dim }
  /** An index' value as i32. */
  | { readonly kind: 'index'; readonly dtype: 'i32'; readonly index: Index }
  /** inputs[input][at]; where a comparison of `guard` fails nothing is read and the value is `fill`. Without a guard `at` is in range. */
  | {
      readonly kind: 'load';
      readonly dtype: DType;
      readonly input: number;
      readonly at: readonly Index[];
      readonly guard?: Predicate;
      readonly fill?: number;
    }
  | { readonly kind: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly a: Expr }
  | {
      readonly kind: 'binary';
      readonly dtype: DType;
      readonly op: BinaryOp;
      readonly a: Expr;
      readonly b: Expr;
    }
  | {
      readonly kind: 'select';
      readonly dtype: DType;
      readonly condition: Expr;
      readonly a: Expr;
      readonly b: Expr;
    }
  | { readonly kind: 'cast'; readonly dtype: DType; readonly a: Expr }
  /** Four u32: key0, key1, counter0, counter1. */
  | { readonly kind: 'random'; readonly dtype: 'u32'; readonly args: readonly [Expr, Expr, Expr, Expr] }
  /** A component of the enclosing Compute's finished reduction. */
  | { readonly kind: 'reduced'; readonly dtype: DType; readonly component: number };

/** Integer expressions that address tensors. Build them with the constructors of `affine.ts`, which keep a normal form. */
export type Index =
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'axis'; readonly axis: Axis }
  | { readonly kind: 'op'; readonly op: IndexOp; readonly a: Index; readonly b: Index }
  /** A computed i32 (an embedding's row, a random shift). */
  | { readonly kind: 'value'; readonly value: Expr };

export type IndexOp = 'add' | 'mul' | 'floordiv' | 'mod' | 'min' | 'max';

/** A conjunction of comparisons; empty is true. */
export type Predicate = readonly Comparison[];

export interface Comparison {
  readonly op: 'lt' | 'le' | 'eq';
  readonly a: Index;
  readonly b: Index;
}

/** Stages that share their outer axes; values between them stay inside one workgroup or invocation (softmax, layer norm). */
export interface Region {
  readonly outer: readonly Axis[];
  readonly stages: readonly Compute[];
}
