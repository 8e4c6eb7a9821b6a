import type { KExpr, Kernel, Stmt } from '../kernel.ts';
import { partsOf } from '../kernel-parts.ts';

/**
 * Names whose values may differ between the invocations of a workgroup: what comes from `local` or `lane`, from
 * memory, from the subgroup, and variables that are assigned where only some invocations come by. Grows until it is
 * stable, because loops feed values back.
 */
export function divergentNames(kernel: Kernel): ReadonlySet<string> {
  const names = new Set<string>();
  for (let before = -1; before !== names.size; ) {
    before = names.size;
    mark(kernel.body, false, names);
  }
  return names;
}

function mark(body: readonly Stmt[], inDivergent: boolean, names: Set<string>): void {
  for (const s of body)
    switch (s.kind) {
      case 'let':
      case 'var':
      case 'assign':
        if (inDivergent || isDivergent(s.value, names)) names.add(s.name);
        break;
      case 'subgroup':
        names.add(s.name);
        break;
      case 'for': {
        const divergent = inDivergent || isDivergent(s.from, names) || isDivergent(s.to, names);
        if (divergent) names.add(s.name);
        mark(s.body, divergent, names);
        break;
      }
      case 'if':
        mark(s.then, inDivergent || isDivergent(s.condition, names), names);
        break;
      case 'store':
      case 'store-shared':
      case 'barrier':
      case 'comment':
    }
}

/** Whether the value may differ between invocations of one workgroup. */
export function isDivergent(e: KExpr, names: ReadonlySet<string>): boolean {
  switch (e.kind) {
    case 'builtin':
      return e.name !== 'group';
    case 'ref':
      return names.has(e.name);
    case 'load':
    case 'load-shared':
      return true;
    default:
      return partsOf(e).some(part => isDivergent(part, names));
  }
}
