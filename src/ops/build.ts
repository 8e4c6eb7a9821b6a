import type { GraphBuilder } from '../ir/builder.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Value } from '../ir/graph.ts';
import type { Attr, Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { DType, TensorType } from '../ir/type.ts';
import { isFloat, printType, sameShape } from '../ir/type.ts';
import { add as addOp } from './add.ts';
import { argmax as argmaxOp } from './argmax.ts';
import { argmin as argminOp } from './argmin.ts';
import { broadcast as broadcastOp } from './broadcast.ts';
import { cast as castOp } from './cast.ts';
import * as comparison from './comparison.ts';
import { constant as constantOp } from './constant.ts';
import { cos as cosOp } from './cos.ts';
import { div as divOp } from './div.ts';
import { exp as expOp } from './exp.ts';
import { floordiv as floordivOp } from './floordiv.ts';
import { iota as iotaOp } from './iota.ts';
import { log as logOp } from './log.ts';
import { maximum as maximumOp } from './maximum.ts';
import { minimum as minimumOp } from './minimum.ts';
import { mul as mulOp } from './mul.ts';
import { neg as negOp } from './neg.ts';
import { pad as padOp } from './pad.ts';
import { pow as powOp } from './pow.ts';
import { reduceProd as reduceProdOp } from './reduce-prod.ts';
import { reduceSum as reduceSumOp } from './reduce-sum.ts';
import { reshape as reshapeOp } from './reshape.ts';
import { select as selectOp } from './select.ts';
import { sign as signOp } from './sign.ts';
import { sin as sinOp } from './sin.ts';
import { slice as sliceOp } from './slice.ts';
import { sqrt as sqrtOp } from './sqrt.ts';
import { sub as subOp } from './sub.ts';
import { transpose as transposeOp } from './transpose.ts';

/**
 * Short ways to emit nodes, for gradient rules, passes and elaboration. They do the language's broadcasting:
 * numpy's alignment from the right, made explicit by `broadcast` nodes. A number takes the other operand's dtype.
 */
export type Operand = Value | number;

export function scalar(b: GraphBuilder, value: number, dtype: DType = 'f32'): Value {
  return b.emit(constantOp, [], { value, dtype });
}

/** A tensor of this type, every element `value`. */
export function full(b: GraphBuilder, value: number, type: TensorType): Value {
  return broadcastTo(b, scalar(b, value, type.dtype), type.shape);
}

export const zerosLike = (b: GraphBuilder, v: Value): Value => full(b, 0, v.type);
export const onesLike = (b: GraphBuilder, v: Value): Value => full(b, 1, v.type);

/** The number that every element is, where that shows: a `constant`, perhaps repeated or reshaped. */
export function constantOf(v: Value): number | undefined {
  const { node } = v;
  if (node.kind !== 'op') return undefined;
  if (node.op === constantOp) return node.attrs.value as number;
  return node.op === broadcastOp || node.op === reshapeOp ? constantOf(node.inputs[0]!) : undefined;
}

/** Repeats along new and size-1 axes; the value itself where nothing changes. Throws `ShapeError`. */
export function broadcastTo(b: GraphBuilder, v: Value, shape: readonly Dim[]): Value {
  return sameShape(v.type.shape, shape) ? v : b.emit(broadcastOp, [v], { shape });
}

/** The shape that all broadcast to. Throws `ShapeError` naming the types that do not fit. */
export function commonShape(op: string, types: readonly TensorType[]): Dim[] {
  return types.reduce<TensorType>((sum, type, i) => {
    const rank = Math.max(sum.shape.length, type.shape.length);
    const shape = Array.from({ length: rank }, (_, axis) => {
      const x = sum.shape[axis - rank + sum.shape.length];
      const y = type.shape[axis - rank + type.shape.length];
      if (!x || !y) return (x ?? y)!;
      if (D.equal(x, y) || D.isConstant(y, 1)) return x;
      if (D.isConstant(x, 1)) return y;
      throw new ShapeError(
        `${op}: shapes do not match: ${printType(sum)} and ${printType(type)} differ on axis ${axis}, ` +
          `${D.print(x)} against ${D.print(y)}`,
        {
          input: i,
          hint: 'axes are aligned from the right; only an axis of size 1 is repeated',
          sizes: [x, y],
        },
      );
    });
    return { dtype: type.dtype, shape };
  }, types[0]!).shape as Dim[];
}

/** What tensors that are not constant say; else what float constants say; else an integer, if all of them are. */
function commonDType(operands: readonly Operand[]): DType {
  const values = operands.filter(x => typeof x !== 'number');
  const leading = values.find(v => constantOf(v) === undefined) ?? values.find(v => isFloat(v.type.dtype));
  if (leading) return leading.type.dtype;
  const whole = operands.every(x => typeof x !== 'number' || Number.isInteger(x));
  return (whole ? values[0]?.type.dtype : undefined) ?? 'f32';
}

/** Numbers become scalars of the common dtype, and so do constants that it holds exactly. */
function promote(b: GraphBuilder, op: string, operands: readonly Operand[]): Value[] {
  const dtype = commonDType(operands);
  return operands.map((x, i) => {
    if (typeof x !== 'number' && x.type.dtype === dtype) return x;
    const number = typeof x === 'number' ? x : constantOf(x);
    if (number !== undefined && (isFloat(dtype) || (Number.isInteger(number) && dtype !== 'bool'))) {
      const value = scalar(b, number, dtype);
      return typeof x === 'number' ? value : broadcastTo(b, value, x.type.shape);
    }
    const given = typeof x === 'number' ? String(x) : printType(x.type);
    throw new ShapeError(`${op}: ${given} does not go together with ${dtype}`, {
      input: i,
      hint: 'convert one of them with `cast`',
    });
  });
}

/** An elementwise op over operands of broadcastable shapes. Throws `ShapeError` naming both shapes. */
export function binary(b: GraphBuilder, op: Primitive, x: Operand, y: Operand): Value {
  const values = promote(b, op.name, [x, y]);
  const shape = commonShape(
    op.name,
    values.map(v => v.type),
  );
  return b.emit(
    op,
    values.map(v => broadcastTo(b, v, shape)),
  );
}

type Binary = (b: GraphBuilder, x: Operand, y: Operand) => Value;
export const add: Binary = (b, x, y) => binary(b, addOp, x, y);
export const sub: Binary = (b, x, y) => binary(b, subOp, x, y);
export const mul: Binary = (b, x, y) => binary(b, mulOp, x, y);
export const div: Binary = (b, x, y) => binary(b, divOp, x, y);
export const floordiv: Binary = (b, x, y) => binary(b, floordivOp, x, y);
export const pow: Binary = (b, x, y) => binary(b, powOp, x, y);
export const maximum: Binary = (b, x, y) => binary(b, maximumOp, x, y);
export const minimum: Binary = (b, x, y) => binary(b, minimumOp, x, y);
export const eq: Binary = (b, x, y) => binary(b, comparison.eq, x, y);
export const ne: Binary = (b, x, y) => binary(b, comparison.ne, x, y);
export const lt: Binary = (b, x, y) => binary(b, comparison.lt, x, y);
export const le: Binary = (b, x, y) => binary(b, comparison.le, x, y);
export const gt: Binary = (b, x, y) => binary(b, comparison.gt, x, y);
export const ge: Binary = (b, x, y) => binary(b, comparison.ge, x, y);

type Unary = (b: GraphBuilder, x: Value) => Value;
export const neg: Unary = (b, x) => b.emit(negOp, [x]);
export const exp: Unary = (b, x) => b.emit(expOp, [x]);
export const log: Unary = (b, x) => b.emit(logOp, [x]);
export const sqrt: Unary = (b, x) => b.emit(sqrtOp, [x]);
export const sin: Unary = (b, x) => b.emit(sinOp, [x]);
export const cos: Unary = (b, x) => b.emit(cosOp, [x]);
export const sign: Unary = (b, x) => b.emit(signOp, [x]);

/** `select` with broadcasting of all three. */
export function where(b: GraphBuilder, condition: Value, x: Operand, y: Operand): Value {
  const values = [condition, ...promote(b, 'select', [x, y])];
  const shape = commonShape(
    'select',
    values.map(v => v.type),
  );
  return b.emit(
    selectOp,
    values.map(v => broadcastTo(b, v, shape)),
  );
}

export function cast(b: GraphBuilder, x: Value, dtype: DType): Value {
  return x.type.dtype === dtype ? x : b.emit(castOp, [x], { dtype });
}

export function reshape(b: GraphBuilder, x: Value, shape: readonly (Dim | number)[]): Value {
  const dims = shape.map(D.dim);
  return sameShape(x.type.shape, dims) ? x : b.emit(reshapeOp, [x], { shape: dims });
}

export function transpose(b: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return perm.every((from, to) => from === to) ? x : b.emit(transposeOp, [x], { perm });
}

export function slice(
  b: GraphBuilder,
  x: Value,
  starts: readonly (Dim | number)[],
  ends: readonly (Dim | number)[],
  steps: readonly number[] = starts.map(() => 1),
): Value {
  return b.emit(sliceOp, [x], { starts, ends, steps });
}

export function pad(
  b: GraphBuilder,
  x: Value,
  low: readonly (Dim | number)[],
  high: readonly (Dim | number)[],
  interior: readonly number[] = low.map(() => 0),
  value = 0,
): Value {
  return b.emit(padOp, [x], { low, high, interior, value });
}

export function reduceSum(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[] | 'all' = 'all',
  keep = false,
): Value {
  return b.emit(reduceSumOp, [x], { axes: axes as Attr, keep });
}

export function reduceProd(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[] | 'all' = 'all',
  keep = false,
): Value {
  return b.emit(reduceProdOp, [x], { axes: axes as Attr, keep });
}

export function argmax(b: GraphBuilder, x: Value, axis: number, keep = false): Value {
  return b.emit(argmaxOp, [x], { axis, keep });
}

export function argmin(b: GraphBuilder, x: Value, axis: number, keep = false): Value {
  return b.emit(argminOp, [x], { axis, keep });
}

/** The position along `axis`, in a tensor of this shape. */
export function iota(
  b: GraphBuilder,
  shape: readonly (Dim | number)[],
  axis: number,
  dtype: DType = 'i32',
): Value {
  return b.emit(iotaOp, [], { shape, axis, dtype });
}
