import type { KExpr, Kernel, Stmt } from '../kernel.ts';
import { partsOf } from '../kernel-parts.ts';

/** Invocations among which a value is asked to be the same. */
export type Among = 'workgroup' | 'subgroup';

/** Builtins that are the same for all of them. */
const uniformBuiltins: Readonly<Record<Among, ReadonlySet<string>>> = {
  workgroup: new Set(['group']),
  subgroup: new Set(['group', 'subgroup']),
};

/** Names whose values may differ between some invocations. */
export interface Divergent {
  readonly among: Among;
  readonly names: ReadonlySet<string>;
}

/**
 * Names whose values may differ between the invocations of a workgroup, or of a subgroup: what comes from `local` or `lane`,
 * from memory, from operations of the subgroup, and variables that are assigned where only some invocations come by. Grows
 * until it is stable, because loops feed values back.
 */
export function divergentNames(kernel: Kernel, among: Among = 'workgroup'): Divergent {
  const names = new Set<string>();
  for (let before = -1; before !== names.size; ) {
    before = names.size;
    mark(kernel.body, false, names, among);
  }
  return { among, names };
}

function mark(body: readonly Stmt[], inDivergent: boolean, names: Set<string>, among: Among): void {
  const isDivergent = (e: KExpr): boolean => mayDiffer(e, { names, among });
  for (const s of body)
    switch (s.kind) {
      case 'let':
      case 'var':
      case 'assign':
        if (inDivergent || isDivergent(s.value)) names.add(s.name);
        break;
      case 'subgroup':
        names.add(s.name);
        break;
      case 'for': {
        const divergent = inDivergent || isDivergent(s.from) || isDivergent(s.to);
        if (divergent) names.add(s.name);
        mark(s.body, divergent, names, among);
        break;
      }
      case 'if':
        mark(s.then, inDivergent || isDivergent(s.condition), names, among);
        break;
      case 'store':
      case 'store-shared':
      case 'matrix':
      case 'zero-matrix':
      case 'load-matrix':
      case 'multiply-matrix':
      case 'store-matrix':
      case 'barrier':
      case 'comment':
    }
}

/** Whether the value may differ between such invocations. */
export function mayDiffer(e: KExpr, divergent: Divergent): boolean {
  switch (e.kind) {
    case 'builtin':
      return !uniformBuiltins[divergent.among].has(e.name);
    case 'ref':
      return divergent.names.has(e.name);
    case 'load':
    case 'load-shared':
      return true;
    default:
      return partsOf(e).some(part => mayDiffer(part, divergent));
  }
}
