import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Attr, NdArray } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { DType, TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';

/** Readers of attributes, and the checks that many ops share. All throw `ShapeError` with the op's name in front. */

const isDim = (attr: Attr): attr is Dim => typeof attr === 'object' && 'terms' in attr;

export function dimOf(attr: Attr | undefined, what: string): Dim {
  if (typeof attr === 'number' && Number.isInteger(attr)) return D.constant(attr);
  if (attr !== undefined && isDim(attr)) return attr;
  throw new ShapeError(`${what} must be a size`);
}

export function intOf(attr: Attr | undefined, what: string): number {
  const n = attr !== undefined && isDim(attr) ? D.constantValue(attr) : attr;
  if (typeof n === 'number' && Number.isInteger(n)) return n;
  throw new ShapeError(`${what} must be an integer known at compile time`);
}

function listOf(attr: Attr | undefined, what: string): readonly Attr[] {
  if (Array.isArray(attr)) return attr;
  throw new ShapeError(`${what} must be a list`);
}

export function dimsOf(attr: Attr | undefined, what: string): Dim[] {
  return listOf(attr, what).map(d => dimOf(d, what));
}

/** One dim for each axis; a single one stands for all. */
export function dimPerAxis(attr: Attr | undefined, rank: number, what: string): Dim[] {
  const list = Array.isArray(attr) ? dimsOf(attr, what) : new Array<Dim>(rank).fill(dimOf(attr, what));
  if (list.length !== rank)
    throw new ShapeError(`${what} has ${list.length} entries, the tensor has ${rank} axes`);
  return list;
}

/** One integer for each axis; a single one stands for all. */
export function intPerAxis(attr: Attr | undefined, rank: number, what: string): number[] {
  return dimPerAxis(attr, rank, what).map(d => intOf(d, what));
}

export function intsOf(attr: Attr | undefined, what: string): number[] {
  return listOf(attr, what).map(d => intOf(d, what));
}

/** An axis counted from either end, as 0 <= axis < rank. */
export function axisOf(attr: Attr | undefined, rank: number, what: string): number {
  const axis = intOf(attr, what);
  if (axis < -rank || axis >= rank)
    throw new ShapeError(`${what} ${axis} is out of range for ${rank} ${rank === 1 ? 'axis' : 'axes'}`);
  return axis < 0 ? axis + rank : axis;
}

/** Distinct axes in ascending order; `all` stands for every one. */
export function axesOf(attr: Attr | undefined, rank: number, what: string): number[] {
  if (attr === undefined || attr === 'all') return Array.from({ length: rank }, (_, i) => i);
  const list = Array.isArray(attr) ? attr : [attr];
  const axes = list.map(a => axisOf(a, rank, what)).sort((x, y) => x - y);
  const repeated = axes.find((a, i) => axes[i + 1] === a);
  if (repeated !== undefined) throw new ShapeError(`${what} names axis ${repeated} twice`);
  return axes;
}

const dtypes: readonly string[] = ['f32', 'f16', 'i32', 'u32', 'u8', 'bool'] satisfies DType[];

export function dtypeOf(attr: Attr | undefined, what: string): DType {
  if (typeof attr === 'string' && dtypes.includes(attr)) return attr as DType;
  throw new ShapeError(`${what} must be one of ${dtypes.join(', ')}`);
}

/** Groups of dtypes that an input may have. */
export const accepted = {
  float: ['f32', 'f16'],
  signed: ['f32', 'f16', 'i32'],
  number: ['f32', 'f16', 'i32', 'u32'],
  bool: ['bool'],
  bits: ['i32', 'u32'],
  any: ['f32', 'f16', 'i32', 'u32', 'u8', 'bool'],
} as const satisfies Record<string, readonly DType[]>;
export type Accepted = keyof typeof accepted;

export function requireDType(
  op: string,
  input: string,
  index: number,
  type: TensorType,
  group: Accepted,
): void {
  const allowed: readonly DType[] = accepted[group];
  if (allowed.includes(type.dtype)) return;
  throw new ShapeError(`${op}: ${input} is ${printType(type)}, expected ${allowed.join(' or ')}`, {
    input: index,
    hint: `convert it with cast(${input}, "${allowed[0]}")`,
  });
}

export function requireCount(op: string, inputs: readonly string[], types: readonly TensorType[]): void {
  if (types.length !== inputs.length)
    throw new ShapeError(
      `${op} takes ${inputs.length} tensors (${inputs.join(', ')}), given ${types.length}`,
    );
}

/** A reference's result. */
export function filled(type: TensorType, data: Float64Array): NdArray {
  return { dtype: type.dtype, shape: type.shape.map(d => D.evaluate(d)), data };
}
