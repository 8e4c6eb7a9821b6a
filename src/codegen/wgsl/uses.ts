import { constantValue, symbols } from '../../ir/dim.ts';
import type { KExpr, Kernel, Stmt } from '../../ir/kernel.ts';
import { bodyOf, isMatrixStmt, operandsOf, partsOf } from '../../ir/kernel-parts.ts';

/** More workgroups than one dimension of a dispatch holds; grids beyond it are folded and may overshoot. */
export const maxGroupsPerDimension = 65535;

/** Whether the kernel must compare its group with their number, because the grid may hold more. */
export function needsGuard(kernel: Kernel): boolean {
  const groups = constantValue(kernel.groups);
  return groups === undefined || groups > maxGroupsPerDimension;
}

/** Whether the uniform block is bound, after the storage bindings. */
export function usesUniforms(kernel: Kernel): boolean {
  if (needsGuard(kernel) && symbols(kernel.groups).size > 0) return true;
  let found = false;
  eachExpr(kernel.body, e => {
    found ||= e.kind === 'uniform';
  });
  return found;
}

/** Whether the kernel holds a value in f16, which takes a feature of the device. */
export function usesF16(kernel: Kernel): boolean {
  let found = [...kernel.buffers, ...kernel.shared].some(b => b.dtype === 'f16');
  eachExpr(kernel.body, e => {
    found ||= e.dtype === 'f16';
  });
  return found;
}

/** Whether lanes of a subgroup hand each other values, which takes a feature of the device. */
export function usesSubgroups({ body }: Pick<Kernel, 'body'>): boolean {
  return someStmt(body, s => s.kind === 'subgroup' || isMatrixStmt(s));
}

/** Whether subgroups hold matrices together, which takes one more. */
export function usesMatrices({ body }: Pick<Kernel, 'body'>): boolean {
  return someStmt(body, isMatrixStmt);
}

function someStmt(body: readonly Stmt[], holds: (s: Stmt) => boolean): boolean {
  return body.some(s => holds(s) || someStmt(bodyOf(s), holds));
}

/** Calls `visit` for every expression of the statements, inner ones included. */
function eachExpr(body: readonly Stmt[], visit: (e: KExpr) => void): void {
  for (const s of body) {
    for (const e of operandsOf(s)) eachInner(e, visit);
    eachExpr(bodyOf(s), visit);
  }
}

function eachInner(e: KExpr, visit: (e: KExpr) => void): void {
  visit(e);
  for (const part of partsOf(e)) eachInner(part, visit);
}
