import type { Compute } from '../../ir/compute.ts';
import type { Group, Grouping } from './group.ts';

/** Remembers what two groups make together: the same ones meet again and again, and groups do not change. */
export function pairwise(
  join: (a: Group, b: Group, grouping: Grouping) => Compute | undefined,
): (a: Group, b: Group, grouping: Grouping) => Compute | undefined {
  const known = new WeakMap<Group, WeakMap<Group, { readonly made: Compute | undefined }>>();
  return (a, b, grouping) => {
    if (a.loop || b.loop) return undefined;
    let row = known.get(a);
    if (!row) known.set(a, (row = new WeakMap()));
    let entry = row.get(b);
    if (!entry) row.set(b, (entry = { made: join(a, b, grouping) }));
    return entry.made;
  };
}
