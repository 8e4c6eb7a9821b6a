import * as A from '../../ir/affine.ts';
import type { Index } from '../../ir/compute.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { computeLoads, loadsOf } from './definition.ts';
import { type Group, type Grouping, groupReads, rootOf } from './group.ts';

/** Outputs that need a work of their own to get where they belong. */
export interface Placed {
  /** Values that are written straight into the parameter or state whose new content they are, by its name. */
  readonly inPlace: ReadonlyMap<Value, string>;
  /** Updates that must be copied at the end. */
  readonly copied: readonly { readonly value: Value; readonly target: string }[];
}

/**
 * A value that becomes a parameter's new content is written straight into the parameter, unless some work still
 * reads the old content afterwards, or elsewhere than at the element that it writes.
 */
export function placeUpdates(graph: Graph, grouping: Grouping, groups: readonly Group[]): Placed {
  const root = (id: number): Value => rootOf(grouping.values.get(id)!, grouping.views);
  const writtenBy = new Map<Value, number>(groups.flatMap((g, i) => g.values.map(v => [v, i] as const)));
  const lastRead = new Map<Value, number>();
  groups.forEach((g, i) => {
    for (const id of groupReads(g)) lastRead.set(root(id), i);
  });
  // An input handed on unchanged, to the host or to another state, is read at the very end.
  for (const o of graph.outputs) {
    const source = rootOf(o.value, grouping.views);
    if (source.node.kind === 'input' && source.node.name !== o.target) lastRead.set(source, groups.length);
  }
  const inputs = new Map(graphInputs(graph).map(n => [n.name, n.outputs[0]]));
  const toHost = new Set(
    graph.outputs.filter(o => o.role !== 'update').map(o => rootOf(o.value, grouping.views)),
  );
  const inPlace = new Map<Value, string>();
  const copied: { value: Value; target: string }[] = [];
  for (const { role, value, target } of graph.outputs) {
    if (role !== 'update') continue;
    const old = inputs.get(target!);
    if (old && rootOf(value, grouping.views) === old) continue;
    const at = writtenBy.get(value);
    const read = old ? (lastRead.get(old) ?? -1) : -1;
    const safe =
      at !== undefined &&
      !groups[at]!.loop &&
      !inPlace.has(value) &&
      !toHost.has(value) &&
      read <= at &&
      (read < at || readsOwnPlaceOnly(groups[at]!, old!, value, root));
    if (safe) inPlace.set(value, target!);
    else copied.push({ value, target: target! });
  }
  return { inPlace, copied };
}

/**
 * Several states that start with the same constant: each gets a group of its own, which writes it where it belongs,
 * instead of one and copies of it. Returns the graph with outputs that name the new values.
 */
export function unshareConstants(graph: Graph, { groups, values }: Grouping): Graph {
  const seen = new Set<Value>();
  let nextId = [...values.keys()].reduce((most, id) => Math.max(most, id), 0) + 1;
  const alone = new Map(groups.flatMap(g => (g.values.length === 1 ? [[g.values[0]!, g] as const] : [])));
  const outputs = graph.outputs.map(output => {
    const { role, value } = output;
    const group = alone.get(value);
    const first = !seen.has(value);
    seen.add(value);
    if (role !== 'update' || first || !group || group.loop || computeLoads(group.compute).length > 0)
      return output;
    const own: Value = { ...value, id: nextId++ };
    groups.push({ ...group, values: [own] });
    return { ...output, value: own };
  });
  return { ...graph, outputs };
}

/** Whether a work reads `input` only at the element that it is about to overwrite with `output`. */
function readsOwnPlaceOnly(group: Group, input: Value, output: Value, root: (id: number) => Value): boolean {
  const { reduce, outs, axes } = group.compute;
  if (loadsOf(reduce?.lift ?? [], reduce?.guard).some(l => root(l.input) === input)) return false;
  const out = outs[group.values.indexOf(output)]!;
  const key = (at: readonly Index[]): string => A.indexKey(A.flatten(at, input.type.shape));
  const own = key(out.at ?? axes.map(A.index));
  return loadsOf(outs.map(o => o.value))
    .filter(l => root(l.input) === input)
    .every(l => l.input === input.id && !l.guard && key(l.at) === own);
}
