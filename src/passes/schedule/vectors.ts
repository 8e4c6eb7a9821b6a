import type { KExpr, Kernel, Stmt } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import { bodyOf, operandsOf, partsOf } from '../../ir/kernel-parts.ts';

const width = 4;

/**
 * Buffers of a kernel that it reads as aligned vectors alone are bound as such: a load is then one, where it would be four
 * with a bounds check each.
 */
export function asVectors(kernel: Kernel): Kernel {
  /** Whether what a name stands for is a multiple of the width. */
  const lets = new Map<string, boolean>();
  const others = new Set<string>();
  const vectors = new Set<string>();
  const visit = (e: KExpr): void => {
    for (const part of partsOf(e)) visit(part);
    if (e.kind !== 'load') return;
    const fits = lanesOf(e) === width && !e.mask && isMultiple(e.index, lets);
    (fits ? vectors : others).add(e.buffer);
  };
  const walk = (body: readonly Stmt[]): void => {
    for (const s of body) {
      for (const e of operandsOf(s)) visit(e);
      if (s.kind === 'let') lets.set(s.name, isMultiple(s.value, lets));
      if ('buffer' in s && s.buffer !== undefined) others.add(s.buffer);
      walk(bodyOf(s));
    }
  };
  walk(kernel.body);
  const buffers = kernel.buffers.map(b =>
    vectors.has(b.name) && !others.has(b.name) && (b.dtype === 'f32' || b.dtype === 'f16')
      ? { ...b, vectors: true as const }
      : b,
  );
  return { ...kernel, buffers };
}

/** Whether an index is surely a multiple of the width. */
function isMultiple(e: KExpr, lets: ReadonlyMap<string, boolean>): boolean {
  const holds = (inner: KExpr): boolean => isMultiple(inner, lets);
  switch (e.kind) {
    case 'const':
      return e.value % width === 0;
    case 'ref':
      return lets.get(e.name) ?? false;
    case 'select':
      return holds(e.a) && holds(e.b);
    case 'binary':
      if (e.op === 'mul') return holds(e.a) || holds(e.b);
      return (
        (e.op === 'add' || e.op === 'sub' || e.op === 'min' || e.op === 'max') && holds(e.a) && holds(e.b)
      );
    default:
      return false;
  }
}
