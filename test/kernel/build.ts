import type { Dim } from '../../src/ir/dim.ts';
import { dim } from '../../src/ir/dim.ts';
import type { KExpr, Kernel, KernelBuffer, SharedArray, Stmt } from '../../src/ir/kernel.ts';
import type { BinaryOp, UnaryOp } from '../../src/ir/scalar.ts';
import { isComparison } from '../../src/ir/scalar.ts';
import type { DType } from '../../src/ir/type.ts';
import { tensor } from '../../src/ir/type.ts';

/** Short constructors of Kernel IR for tests. */
export const i32 = (value: number): KExpr => ({ kind: 'const', dtype: 'i32', value });
export const f32 = (value: number): KExpr => ({ kind: 'const', dtype: 'f32', value });
export const konst = (value: number, dtype: DType): KExpr => ({ kind: 'const', dtype, value });
export const ref = (name: string, dtype: DType = 'i32'): KExpr => ({ kind: 'ref', dtype, name });
type Builtin = Extract<KExpr, { kind: 'builtin' }>['name'];
export const builtin = (name: Builtin): KExpr => ({ kind: 'builtin', dtype: 'i32', name });
export const uniform = (name: string, dtype: DType = 'i32'): KExpr => ({ kind: 'uniform', dtype, name });
export const load = (buffer: string, index: KExpr, dtype: DType = 'f32'): KExpr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
});
export const loadShared = (array: string, index: KExpr, dtype: DType = 'f32'): KExpr => ({
  kind: 'load-shared',
  dtype,
  array,
  index,
});
export const unary = (op: UnaryOp, a: KExpr): KExpr => ({
  kind: 'unary',
  dtype: op === 'not' ? 'bool' : a.dtype,
  op,
  a,
});
export const binary = (op: BinaryOp, a: KExpr, b: KExpr): KExpr => ({
  kind: 'binary',
  dtype: isComparison(op) ? 'bool' : a.dtype,
  op,
  a,
  b,
});
export const add = (a: KExpr, b: KExpr): KExpr => binary('add', a, b);
export const mul = (a: KExpr, b: KExpr): KExpr => binary('mul', a, b);
export const select = (condition: KExpr, a: KExpr, b: KExpr): KExpr => ({
  kind: 'select',
  dtype: a.dtype,
  condition,
  a,
  b,
});
export const cast = (dtype: DType, a: KExpr): KExpr => ({ kind: 'cast', dtype, a });

export const bind = (name: string, value: KExpr): Stmt => ({ kind: 'let', name, value });
export const store = (buffer: string, index: KExpr, value: KExpr): Stmt => ({
  kind: 'store',
  buffer,
  index,
  value,
});
export const storeShared = (array: string, index: KExpr, value: KExpr): Stmt => ({
  kind: 'store-shared',
  array,
  index,
  value,
});
export const loop = (name: string, from: KExpr, to: KExpr, body: readonly Stmt[], step = 1): Stmt => ({
  kind: 'for',
  name,
  from,
  to,
  step,
  body,
});
export const when = (condition: KExpr, then: readonly Stmt[]): Stmt => ({ kind: 'if', condition, then });
export const barrier: Stmt = { kind: 'barrier' };

let ids = 0;
export function buffer(name: string, dtype: DType, access: 'read' | 'read_write' = 'read'): KernelBuffer {
  const type = tensor(dtype, [1]);
  return { name, dtype, access, tensor: { id: ids++, name, type, role: 'temporary', origin: {} } };
}

export function kernel(
  name: string,
  buffers: readonly KernelBuffer[],
  body: readonly Stmt[],
  rest: {
    groups?: Dim | number;
    workgroupSize?: number;
    shared?: readonly SharedArray[];
    comments?: readonly string[];
  } = {},
): Kernel {
  const { groups = 1, workgroupSize = 64, shared = [], comments = [] } = rest;
  return { name, origin: {}, comments, buffers, workgroupSize, groups: dim(groups), shared, body };
}
