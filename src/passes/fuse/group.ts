import * as A from '../../ir/affine.ts';
import type { Compute, Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import type { Graph, LoopNode, OpNode, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { loopParts } from '../../ir/loop.ts';
import type { Program } from '../../ir/program.ts';
import type { TensorType } from '../../ir/type.ts';
import { computeLoads, inlineMap, isMap, isSameLayout, type Lowered, mapCompute } from './definition.ts';
import { turnName, turnType } from './loop.ts';

/** A future work: one Compute whose loads name values, and the values that its outs define. */
export interface Group {
  readonly compute: Compute;
  /** Parallel to `compute.outs`. */
  readonly values: readonly Value[];
  /** Nodes computed inside, in graph order. */
  readonly nodes: readonly OpNode[];
  /** Set for a whole loop, which has no Compute of its own and is merged with nothing. */
  readonly loop?: LoopGroup;
}

export interface LoopGroup {
  readonly node: LoopNode;
  /** One turn. */
  readonly body: Program;
  /** Values that hold the states before the first turn and are overwritten by every turn, by their names in the body. */
  readonly states: ReadonlyMap<string, Value>;
}

/** Ids of the values that a group loads; one may come several times. */
export function groupReads({ compute, loop }: Group): readonly number[] {
  if (!loop) return computeLoads(compute).map(l => l.input);
  const { node, states } = loop;
  const outside = graphInputs(node.body).flatMap((n, i) => (n.role === 'state' ? [] : [node.inputs[i]!.id]));
  return [...outside, ...[...states.values()].map(v => v.id)];
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
  bodies: ReadonlyMap<LoopNode, Program>,
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
  let nextId = 1 + graph.nodes.flatMap(n => n.outputs).reduce((most, v) => Math.max(most, v.id), 0);
  /** Maps that stay expressions: their Compute with everything before them inlined, and the nodes inside. */
  const inlined = new Map<Value, { compute: Compute; nodes: OpNode[] }>();

  const stored = new Set<Value>();

  const inlineInto = (compute: Compute, own: readonly OpNode[]): { compute: Compute; nodes: OpNode[] } => {
    const nodes = new Set<OpNode>();
    const result = mapCompute(compute, {
      known: new Map(),
      load: (load): Expr => {
        const source = values.get(load.input)!;
        const producer = inlined.get(source);
        if (!producer) return load;
        for (const n of producer.nodes) nodes.add(n);
        return inlineMap(producer.compute.axes, producer.compute.outs[0]!.value, load);
      },
    });
    return { compute: result, nodes: [...nodes, ...own] };
  };
  const inline = (compute: Compute, node: OpNode) => inlineInto(compute, [node]);

  /** A value that was to be inlined gets a group of its own after all. */
  const settle = (value: Value): void => {
    const { compute, nodes } = inlined.get(value)!;
    inlined.delete(value);
    groups.push({ compute, values: [value], nodes });
  };

  for (const node of graph.nodes) {
    for (const v of node.outputs) values.set(v.id, v);
    if (node.kind === 'loop') {
      const { initial, group } = loopGroups(node, bodies.get(node)!, () => nextId++);
      for (const g of initial) {
        const [value] = g.values;
        values.set(value!.id, value!);
        groups.push({ ...g, ...inlineInto(g.compute, g.nodes) });
      }
      groups.push(group);
    }
    if (node.kind !== 'op') continue;
    const { compute } = lowered.get(node)!;
    const source = isSameLayout(node, compute);
    if (source && !inlined.has(source)) {
      views.set(node.outputs[0]!, source);
      continue;
    }
    let full = inline(compute, node);
    if (bindingCount(full.compute, [], { views, values, targets }) + node.outputs.length > limit) {
      for (const v of node.inputs) if (inlined.has(v) && !stored.has(v)) settle(v);
      full = inline(compute, node);
    }
    const [value] = node.outputs;
    const isInlined = isMap(compute) && !materialised.has(value!);
    if (!isInlined) groups.push({ compute: full.compute, values: [...node.outputs], nodes: full.nodes });
    // Who needs a constant writes it down, also where it has memory.
    if (isInlined || (isMap(compute) && full.compute.outs[0]!.value.kind === 'const'))
      inlined.set(value!, full);
    if (!isInlined) stored.add(value!);
  }
  return { groups, views, values, targets };
}

/** A loop, and what brings its states to their first values: memory of their own, which the turns overwrite. */
function loopGroups(
  node: LoopNode,
  body: Program,
  nextId: () => number,
): { readonly initial: readonly Group[]; readonly group: Group } {
  const { carries } = loopParts(node);
  const own = (type: TensorType): Value => ({ id: nextId(), type, node, index: -1 });
  const counter = own(turnType);
  const zero = { type: turnType, value: E.constant(0, turnType.dtype) };
  const counting: Group = {
    compute: { inputs: [], axes: [], outs: [zero] },
    values: [counter],
    nodes: [],
  };
  const copies = carries.map(({ initial }): Group => {
    const { type } = initial;
    const axes = type.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const value = E.load(initial.id, type, axes.map(A.index));
    const nodes = initial.node.kind === 'op' ? [initial.node] : [];
    return { compute: { inputs: [], axes, outs: [{ type, value }] }, values: [own(type)], nodes };
  });
  const states = new Map([
    [turnName, counter],
    ...carries.map(({ inner }, i) => [inner.name, copies[i]!.values[0]!] as const),
  ]);
  const group: Group = {
    compute: { inputs: [], axes: [], outs: [] },
    values: node.outputs,
    nodes: [],
    loop: { node, body, states },
  };
  return { initial: [counting, ...copies], group };
}

/** How many buffers a kernel of this Compute binds: what it loads and what it stores, run-time scalars aside. */
export function bindingCount(
  compute: Compute,
  outs: readonly Value[],
  grouping: Omit<Grouping, 'groups'>,
  isNeeded?: (target: Value) => boolean,
): number {
  return boundBuffers(compute, outs, grouping, isNeeded).size;
}

/**
 * The values whose buffers it binds. A new content of a parameter or state is written in its place, unless others need
 * the old one and may come later.
 */
export function boundBuffers(
  compute: Compute,
  outs: readonly Value[],
  grouping: Omit<Grouping, 'groups'>,
  isNeeded: (target: Value) => boolean = () => false,
): ReadonlySet<Value> {
  const bound = new Set<Value>();
  for (const v of outs) {
    const target = grouping.targets.get(v);
    bound.add(target && !isNeeded(target) ? target : v);
  }
  for (const load of computeLoads(compute)) {
    const root = rootOf(grouping.values.get(load.input)!, grouping.views);
    const { node } = root;
    if (node.kind !== 'input' || (node.role !== 'scalar' && node.role !== 'key')) bound.add(root);
  }
  return bound;
}

/** The value whose storage `v` is. */
export function rootOf(v: Value, views: ReadonlyMap<Value, Value>): Value {
  let root = v;
  for (let next = views.get(root); next; next = views.get(root)) root = next;
  return root;
}
