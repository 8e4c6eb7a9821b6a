import type { Axis, Compute, Expr } from '../ir/compute.ts';
import * as E from '../ir/expr.ts';
import * as M from '../ir/monoid.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { Precision } from '../ir/scalar.ts';
import type { DType, TensorType } from '../ir/type.ts';
import { isFloat, printType } from '../ir/type.ts';

/** What sums of a dtype are kept in: f16 loses too much in long sums. */
export function accumulator(dtype: DType): DType {
  return dtype === 'f16' ? 'f32' : dtype;
}

/** A sum of `lift` over `over`, stored at `axes`. */
export function summation(
  inputs: readonly TensorType[],
  out: TensorType,
  axes: readonly Axis[],
  over: readonly Axis[],
  lift: readonly Expr[],
): Compute {
  const type = accumulator(out.dtype);
  const monoid = M.sum(type);
  const product = lift.map(e => E.cast(type, e)).reduce(E.mul);
  return {
    inputs,
    axes,
    reduce: { axes: over, lift: [product], monoid },
    outs: [{ type: out, value: E.cast(out.dtype, E.reduced(0, monoid)) }],
  };
}

/** sum + a * b, for references. */
export function multiplyAdd(precision: Precision): (sum: number, a: number, b: number) => number {
  return precision === 'f32'
    ? (sum, a, b) => Math.fround(sum + Math.fround(a * b))
    : (sum, a, b) => sum + a * b;
}

/** Both operands must be floats of one dtype. */
export function checkFloats(types: readonly TensorType[], names: readonly string[]): void {
  const [a, b] = types;
  if (a && b && a.dtype !== b.dtype)
    throw new ShapeError(
      `${names[0]} is ${printType(a)} and ${names[1]} is ${printType(b)}: the types differ`,
      {
        input: 1,
        hint: 'convert one with cast',
      },
    );
  if (a && !isFloat(a.dtype))
    throw new ShapeError(`${names[0]} must be a float tensor, but is ${printType(a)}`, { input: 0 });
}
