import type * as fc from 'fast-check';
import type { Expr } from '../ir/compute.ts';
import * as E from '../ir/expr.ts';
import type { NdArray, Primitive, Sample } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { BinaryOp, Precision, UnaryOp } from '../ir/scalar.ts';
import { applyBinary, applyUnary } from '../ir/scalar.ts';
import type { DType, TensorType } from '../ir/type.ts';
import { firstDifference, printType, sameShape } from '../ir/type.ts';
import type { Accepted } from './attributes.ts';
import { filled, requireCount, requireDType } from './attributes.ts';
import { awayFromKinks, filledWith, floats, integers, kinks, shapes } from './samples.ts';

type FC = typeof fc;
type Draw = (fc: FC) => fc.Arbitrary<number>;

/** What tells one elementwise op from another. */
export interface ElementwiseSpec {
  readonly name: string;
  readonly doc: string;
  readonly example: string;
  readonly inputs: readonly string[];
  /** Dtypes of each input; those of one group `accepts[i]` must agree with each other (a condition stands apart). */
  readonly accepts: readonly Accepted[];
  /** The result's dtype; absent: that of the last input. */
  readonly result?: DType;
  /** The scalar function, for kernels. */
  value(args: readonly Expr[]): Expr;
  /** The scalar function, for references. `dtype` is the result's. */
  evaluate(args: readonly number[], dtype: DType, precision: Precision): number;
  readonly vjp?: Primitive['vjp'];
  readonly simplify?: Primitive['simplify'];
  /** Floats for each input, inside the domain and off its kinks; absent: [-2, 2]. */
  readonly domain?: readonly Draw[];
  /** Also sample these values, where the function has kinks, ties or zeros; `true`: multiples of 1/2. */
  readonly kinks?: true | readonly Draw[];
  /** Integers for each input, for ops that take them; absent: -9 .. 9. */
  readonly integers?: readonly Draw[];
}

/**
 * An op whose every output element depends on the same element of its inputs. All inputs have one shape: the
 * language's broadcasting inserts `broadcast` nodes (see `build.ts`).
 */
export function elementwise(spec: ElementwiseSpec): Primitive {
  const { name, inputs, accepts } = spec;
  const outType = (types: readonly TensorType[]): TensorType => ({
    dtype: spec.result ?? types.at(-1)!.dtype,
    shape: types[0]!.shape,
  });
  return {
    name,
    kind: 'elementwise',
    inputs,
    attrs: {},
    doc: spec.doc,
    example: spec.example,
    infer: types => {
      requireCount(name, inputs, types);
      types.forEach((type, i) => {
        requireDType(name, inputs[i]!, i, type, accepts[i]!);
        requireSame(spec, types, i);
      });
      return [outType(types)];
    },
    reference: (arrays, _, [out], precision) => {
      const data = new Float64Array(arrays[0]!.data.length);
      for (let i = 0; i < data.length; i++)
        data[i] = spec.evaluate(
          arrays.map(a => a.data[i]!),
          out!.dtype,
          precision,
        );
      return [filled(out!, data)];
    },
    lower: (types, _, [out]) => {
      const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
      return {
        inputs: types,
        axes,
        outs: [{ type: out!, value: spec.value(types.map((type, i) => E.load(i, type, axes))) }],
      };
    },
    ...(spec.vjp && { vjp: spec.vjp }),
    ...(spec.simplify && { simplify: spec.simplify }),
    samples: fc => shapes(fc).chain(shape => fc.oneof(...draws(fc, spec, shape))),
  };
}

function requireSame(spec: ElementwiseSpec, types: readonly TensorType[], i: number): void {
  const type = types[i]!;
  if (!sameShape(types[0]!.shape, type.shape))
    throw new ShapeError(
      `${spec.name}: ${spec.inputs[i]} is ${printType(type)}, but ${spec.inputs[0]} is ${printType(types[0]!)}`,
      {
        input: i,
        hint: 'shapes must be equal here; `broadcast` repeats a smaller tensor',
        sizes: firstDifference(type.shape, types[0]!.shape),
      },
    );
  const partner = spec.accepts.indexOf(spec.accepts[i]!);
  if (types[partner]!.dtype !== type.dtype)
    throw new ShapeError(
      `${spec.name}: ${spec.inputs[i]} is ${printType(type)}, but ${spec.inputs[partner]} is ${printType(types[partner]!)}`,
      { input: i, hint: 'convert one of them with `cast`' },
    );
}

function draws(fc: FC, spec: ElementwiseSpec, shape: readonly number[]): fc.Arbitrary<Sample>[] {
  const bits = fc.integer({ min: 0, max: 1 });
  const sample = (dtype: DType, value: (i: number) => fc.Arbitrary<number>, smooth: boolean) =>
    fc
      .tuple(
        ...spec.inputs.map(
          (_, i): fc.Arbitrary<NdArray> =>
            spec.accepts[i] === 'bool'
              ? filledWith(fc, shape, bits, 'bool')
              : filledWith(fc, shape, value(i), dtype),
        ),
      )
      .map(arrays => ({ inputs: arrays, attrs: {}, smooth }));
  const group = spec.accepts.at(-1)!;
  if (group === 'bits')
    return (['i32', 'u32'] as const).map(dtype =>
      sample(
        dtype,
        i => (spec.integers?.[i]?.(fc) ?? patterns(fc)).map(v => (dtype === 'u32' ? v >>> 0 : v)),
        false,
      ),
    );
  const list = [sample('f32', i => spec.domain?.[i]?.(fc) ?? floats(fc), true)];
  const { kinks: nasty } = spec;
  if (nasty) list.push(sample('f32', i => (nasty === true ? kinks(fc) : nasty[i]!(fc)), false));
  if (group === 'signed' || group === 'number' || group === 'any')
    list.push(sample('i32', i => spec.integers?.[i]?.(fc) ?? integers(fc), false));
  return list;
}

/** An op that is one entry of the table of unary scalar functions. */
export function unaryOp(
  op: UnaryOp,
  spec: Omit<ElementwiseSpec, 'name' | 'inputs' | 'accepts' | 'value' | 'evaluate'> &
    Partial<Pick<ElementwiseSpec, 'name'>> & { readonly accepts: Accepted },
): Primitive {
  return elementwise({
    name: op,
    inputs: ['x'],
    ...spec,
    accepts: [spec.accepts],
    value: ([x]) => E.unary(op, x!),
    evaluate: ([x], dtype, precision) => applyUnary(op, x!, dtype, precision),
  });
}

/** An op that is one entry of the table of binary scalar functions. */
export function binaryOp(
  op: BinaryOp,
  spec: Omit<ElementwiseSpec, 'name' | 'inputs' | 'accepts' | 'value' | 'evaluate'> &
    Partial<Pick<ElementwiseSpec, 'name'>> & { readonly accepts: Accepted },
): Primitive {
  return elementwise({
    name: op,
    inputs: ['a', 'b'],
    ...spec,
    accepts: [spec.accepts, spec.accepts],
    value: ([a, b]) => E.binary(op, a!, b!),
    evaluate: ([a, b], dtype, precision) => applyBinary(op, a!, b!, dtype, precision),
  });
}

/** Integers of either sign by their bits, with those at the ends. */
export const patterns: Draw = fc =>
  fc.oneof(integers(fc), fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)));

/** Floats at least 1/20 from every multiple of 1/2, for ops with steps or kinks there. */
export const offKinks: Draw = fc => awayFromKinks(fc);
/** Floats well above zero. */
export const positive: Draw = fc => floats(fc, 0.25, 3);
/** Both signs, at least 1/4 from zero. */
export const nonZero: Draw = fc =>
  fc.tuple(floats(fc, 0.25, 2), fc.boolean()).map(([x, negative]) => (negative ? -x : x));
