import { constantValue, symbols } from '../../ir/dim.ts';
import type { KExpr, Kernel, Stmt } from '../../ir/kernel.ts';
import { partsOf } from '../../ir/kernel-parts.ts';

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
  return body.some(
    s =>
      s.kind === 'subgroup' ||
      (s.kind === 'for' && usesSubgroups(s)) ||
      (s.kind === 'if' && usesSubgroups({ body: s.then })),
  );
}

/** Calls `visit` for every expression of the statements, inner ones included. */
function eachExpr(body: readonly Stmt[], visit: (e: KExpr) => void): void {
  for (const s of body) {
    for (const e of operandsOf(s)) eachInner(e, visit);
    if (s.kind === 'for') eachExpr(s.body, visit);
    if (s.kind === 'if') eachExpr(s.then, visit);
  }
}

function operandsOf(s: Stmt): readonly KExpr[] {
  switch (s.kind) {
    case 'let':
    case 'var':
    case 'assign':
    case 'subgroup':
      return [s.value];
    case 'store':
    case 'store-shared':
      return [s.index, s.value];
    case 'for':
      return [s.from, s.to];
    case 'if':
      return [s.condition];
    case 'barrier':
    case 'comment':
      return [];
  }
}

function eachInner(e: KExpr, visit: (e: KExpr) => void): void {
  visit(e);
  for (const part of partsOf(e)) eachInner(part, visit);
}
