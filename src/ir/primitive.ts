import type * as fc from 'fast-check';
import { Onto } from '../support/onto.ts';
import type { GraphBuilder } from './builder.ts';
import type { Compute } from './compute.ts';
import type { Dim } from './dim.ts';
import type { Value } from './graph.ts';
import type { Precision } from './scalar.ts';
import type { DType, TensorType } from './type.ts';

/** Static arguments of a node in canonical form (after `prepare`). */
export type Attrs = Readonly<Record<string, Attr>>;
export type Attr = number | boolean | string | Dim | readonly Attr[];

/** What kind of value an attribute takes in the language; `ints` accepts one int for all. */
export interface AttrSpec {
  readonly type: 'int' | 'ints' | 'float' | 'bool' | 'string' | 'dim' | 'dims' | 'dtype';
  readonly default?: Attr;
  readonly doc: string;
}

/**
 * Structural class, which passes may ask for:
 * elementwise: out[i] depends on in[i] alone · view: out is a rearrangement of in, at most filled ·
 * reduction: folds axes of one input · contraction: sum of products of two inputs ·
 * window: folds or gathers over sliding windows · gather: reads at computed indices · source: no tensor input ·
 * macro: expanded by a pass before lowering, has no lowering of its own.
 */
export type PrimitiveKind =
  | 'elementwise'
  | 'view'
  | 'reduction'
  | 'contraction'
  | 'window'
  | 'gather'
  | 'source'
  | 'macro';

/** A dense row-major array of doubles; bool is 0/1. What references and interpreters compute with. */
export interface NdArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A primitive tensor operation: everything the compiler knows about it stands in its one file. */
export interface Primitive {
  readonly name: string;
  readonly kind: PrimitiveKind;
  /** Input names in order; the last may end in `...` (concat). */
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrSpec>>;
  readonly doc: string;
  /** One line of `.dnn`-like text. */
  readonly example: string;
  /** Fills defaults and canonicalises (negative axes, one int for all). Throws `ShapeError`. */
  prepare?(types: readonly TensorType[], attrs: Attrs): Attrs;
  /** Shape rule; throws `ShapeError` naming the input. */
  infer(types: readonly TensorType[], attrs: Attrs): readonly TensorType[];
  /** Naive loops, independent of `lower`. All dims in `attrs` and `outs` are constants here. */
  reference(
    inputs: readonly NdArray[],
    attrs: Attrs,
    outs: readonly TensorType[],
    precision: Precision,
  ): readonly NdArray[];
  /** The only route to every target. */
  lower?(types: readonly TensorType[], attrs: Attrs, outs: readonly TensorType[]): Compute;
  /** Cotangents of the inputs; undefined = zero. `cts[i]` is undefined where output i got none. Absent: not differentiable (integers). */
  vjp?(
    b: GraphBuilder,
    cts: readonly (Value | undefined)[],
    inputs: readonly Value[],
    outputs: readonly Value[],
    attrs: Attrs,
  ): readonly (Value | undefined)[];
  /** Rewrites of one node to a cheaper equal value, or undefined. Each rule: one line of algebra in a comment. */
  simplify?(
    b: GraphBuilder,
    inputs: readonly Value[],
    attrs: Attrs,
    outputs: readonly Value[],
  ): readonly Value[] | undefined;
  /**
   * The sum of its results over all turns of a loop, computed after the loop from what its inputs were in each; undefined
   * where adding up turn by turn is as good.
   */
  sumOfTurns?(inputs: readonly Turns[], attrs: Attrs): Later | undefined;
  /** Its results of all turns along a new leading axis, from its inputs' stacked so. Only views have it: they cost nothing. */
  stackOfTurns?(b: GraphBuilder, stacks: readonly Value[], attrs: Attrs): Value;
  /**
   * Legal inputs on small sizes, overlaps, ties, odd sizes, empty and size-1 axes included on purpose.
   * @internal
   */
  samples?(arbitrary: typeof fc): fc.Arbitrary<Sample>;
}

/** What a value of a loop's body was in all turns; each is emitted outside the loop, once that stands. */
export interface Turns {
  readonly type: TensorType;
  /** Along a new leading axis. */
  stack(): Later;
  total(): Later;
}

export type Later = (b: GraphBuilder) => Value;

/** One concrete use of a primitive. Float values stay in the domain where it is differentiable unless `smooth` is false. */
export interface Sample {
  readonly inputs: readonly NdArray[];
  readonly attrs: Attrs;
  /** False where a finite-difference test would cross a kink or tie (the exact oracle still runs). */
  readonly smooth?: boolean;
}

/** Thrown by `prepare` and `infer`; turned into a diagnostic with spans by whoever called the builder. */
export class ShapeError extends Error {
  /** Index of the input at fault, if one is. */
  readonly input: number | undefined;
  readonly hint: string | undefined;
  /** Two sizes that had to be equal, for an example in numbers. */
  readonly sizes: readonly [Dim, Dim] | undefined;
  constructor(
    message: string,
    options: { input?: number; hint?: string; sizes?: readonly [Dim, Dim] | undefined } = {},
  ) {
    super(message);
    this.name = 'ShapeError';
    this.input = options.input;
    this.sizes = options.sizes;
    this.hint = options.hint;
  }
}

/** Fills in the spec's defaults and checks nothing else. */
export function withDefaults(op: Pick<Primitive, 'attrs'>, attrs: Attrs): Attrs {
  return { ...Defaults.of(op.attrs), ...attrs };
}

/** An op's defaults alone, kept with its list of attributes. */
class Defaults extends Onto {
  #values: Attrs | undefined;

  static of(attrs: Primitive['attrs']): Attrs {
    const notes = #values in attrs ? attrs : (new Defaults(attrs) as Defaults & Primitive['attrs']);
    return (notes.#values ??= Object.fromEntries(
      Object.entries(attrs).flatMap(([name, spec]) =>
        spec.default === undefined ? [] : [[name, spec.default]],
      ),
    ));
  }
}
