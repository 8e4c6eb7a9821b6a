import type { Compute, Expr, Out } from '../../ir/compute.ts';
import type { Graph, OpNode, Value } from '../../ir/graph.ts';
import { computeLoads, inlineMap, isMap, isSameLayout, type Lowered, mapCompute } from './definition.ts';

/** A future work: one Compute whose loads name values, and the values that its outs define. */
export interface Group {
  readonly compute: Compute;
  /** Parallel to `compute.outs`. */
  readonly values: readonly Value[];
  /** Nodes computed inside, in graph order. */
  readonly nodes: readonly OpNode[];
}

export interface Grouping {
  /** In an order that respects dependencies. */
  readonly groups: Group[];
  /** Values that are another value's storage under a new shape. */
  readonly views: ReadonlyMap<Value, Value>;
  /** Every value by id. */
  readonly values: ReadonlyMap<number, Value>;
  /** The parameter or state whose new content a value is: both lie in the same memory. */
  readonly targets: ReadonlyMap<Value, Value>;
}

/** One group per materialised value (or per reduction), everything else inlined into them. */
export function initialGroups(
  graph: Graph,
  lowered: ReadonlyMap<OpNode, Lowered>,
  materialised: ReadonlySet<Value>,
  limit: number,
): Grouping {
  const groups: Group[] = [];
  const views = new Map<Value, Value>();
  const values = new Map<number, Value>();
  const inputs = new Map(
    graph.nodes.flatMap(n => (n.kind === 'input' ? [[n.name, n.outputs[0]] as const] : [])),
  );
  const targets = new Map<Value, Value>();
  for (const o of graph.outputs) {
    const target = o.role === 'update' ? inputs.get(o.target!) : undefined;
    if (target) targets.set(o.value, target);
  }
  /** Maps that stay expressions: their Compute with everything before them inlined, and the nodes inside. */
  const inlined = new Map<Value, { compute: Compute; nodes: OpNode[] }>();

  const inline = (compute: Compute, node: OpNode): { compute: Compute; nodes: OpNode[] } => {
    const nodes = new Set<OpNode>();
    const result = mapCompute(compute, {
      load: (load): Expr => {
        const source = values.get(load.input)!;
        const producer = inlined.get(source);
        if (!producer) return load;
        for (const n of producer.nodes) nodes.add(n);
        return inlineMap(producer.compute.axes, producer.compute.outs[0]!.value, load);
      },
    });
    return { compute: result, nodes: [...nodes, node] };
  };

  /** A value that was to be inlined gets a group of its own after all. */
  const settle = (value: Value): void => {
    const { compute, nodes } = inlined.get(value)!;
    inlined.delete(value);
    groups.push({ compute, values: [value], nodes });
  };

  for (const node of graph.nodes) {
    for (const v of node.outputs) values.set(v.id, v);
    if (node.kind !== 'op') continue;
    const { compute } = lowered.get(node)!;
    const source = isSameLayout(node, compute);
    if (source && !inlined.has(source)) {
      views.set(node.outputs[0]!, source);
      continue;
    }
    let full = inline(compute, node);
    if (bindingCount(full.compute, [], { views, values, targets }) + node.outputs.length > limit) {
      for (const v of node.inputs) if (inlined.has(v)) settle(v);
      full = inline(compute, node);
    }
    const [value] = node.outputs;
    if (isMap(compute) && !materialised.has(value!)) inlined.set(value!, full);
    else groups.push({ compute: full.compute, values: [...node.outputs], nodes: full.nodes });
  }
  return { groups, views, values, targets };
}

/** How many buffers a kernel of this Compute binds: what it loads and what it stores, run-time scalars aside. */
export function bindingCount(
  compute: Compute,
  outs: readonly Value[],
  grouping: Omit<Grouping, 'groups'>,
): number {
  const bound = new Set<Value>(outs.map(v => grouping.targets.get(v) ?? v));
  for (const load of computeLoads(compute)) {
    const root = rootOf(grouping.values.get(load.input)!, grouping.views);
    const { node } = root;
    if (node.kind !== 'input' || (node.role !== 'scalar' && node.role !== 'key')) bound.add(root);
  }
  return bound.size;
}

/** The value whose storage `v` is. */
export function rootOf(v: Value, views: ReadonlyMap<Value, Value>): Value {
  let root = v;
  for (let next = views.get(root); next; next = views.get(root)) root = next;
  return root;
}

/** Keeps the outs that something outside needs; a group left with none is dropped. */
export function dropUnused(grouping: Grouping, graph: Graph): Group[] {
  const needed = new Set<Value>(graph.outputs.map(o => rootOf(o.value, grouping.views)));
  const kept: Group[] = [];
  for (const group of [...grouping.groups].reverse()) {
    const keep = group.values.map(v => needed.has(v));
    if (!keep.includes(true)) continue;
    const outs: Out[] = group.compute.outs.filter((_, i) => keep[i]);
    const isReduced = outs.some(usesReduction);
    // What stays as it is stays the same group, of which much is remembered.
    const isWhole = !keep.includes(false) && isReduced === (group.compute.reduce !== undefined);
    const compute = isReduced
      ? { ...group.compute, outs }
      : { inputs: group.compute.inputs, axes: group.compute.axes, outs };
    const left = isWhole
      ? group
      : { compute, values: group.values.filter((_, i) => keep[i]), nodes: group.nodes };
    kept.push(left);
    for (const load of computeLoads(left.compute))
      needed.add(rootOf(grouping.values.get(load.input)!, grouping.views));
  }
  return kept.reverse();
}

function usesReduction(out: Out): boolean {
  const found = (e: Expr): boolean => {
    switch (e.kind) {
      case 'reduced':
        return true;
      case 'unary':
      case 'cast':
        return found(e.a);
      case 'binary':
        return found(e.a) || found(e.b);
      case 'select':
        return found(e.condition) || found(e.a) || found(e.b);
      default:
        return false;
    }
  };
  return found(out.value);
}
