import type { Graph, Origin, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { loopParts } from '../../ir/loop.ts';
import type { PrimitiveKind } from '../../ir/primitive.ts';
import type { Loop, Program, ProgramOutput, Tensor, Work } from '../../ir/program.ts';
import { computeLoads, mapLoads } from './definition.ts';
import { type Group, type Grouping, type LoopGroup, rootOf } from './group.ts';
import { placeUpdates } from './in-place.ts';

/** Kinds that seldom name a kernel: what they are fused with does. */
const lightKinds: readonly PrimitiveKind[] = ['elementwise', 'view', 'source'];

/** Turns the groups into a Program: tensors with names, works with input lists, updates written in place. */
export function assemble(graph: Graph, grouping: Grouping, groups: readonly Group[]): Program {
  const tensors: Tensor[] = [];
  const names = new Set<string>();
  const ofValue = new Map<Value, Tensor>();

  const fresh = (wish: string): string => {
    let name = wish;
    for (let n = 2; names.has(name); n++) name = `${wish}_${n}`;
    names.add(name);
    return name;
  };
  const make = (tensor: Omit<Tensor, 'id' | 'name'>, wish: string): Tensor => {
    const made = { ...tensor, id: tensors.length, name: fresh(wish) };
    tensors.push(made);
    return made;
  };

  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const { role, name, origin, outputs } = node;
      ofValue.set(outputs[0], make({ type: outputs[0].type, role, path: name, origin }, word(name)));
    }

  const { inPlace, copied } = placeUpdates(graph, grouping, groups);
  const inputs = new Map(graphInputs(graph).map(n => [n.name, n.outputs[0]]));
  const made = new Map<string, Tensor>();
  /** The parameter or state of that name; an initialiser's graph does not read the ones that it sets. */
  const targetOf = (name: string, value: Value): Tensor => {
    const known = inputs.get(name);
    const target = known
      ? ofValue.get(known)!
      : (made.get(name) ??
        make({ type: value.type, role: 'state', path: name, origin: value.node.origin }, word(name)));
    made.set(name, target);
    return target;
  };

  const tensorOf = (value: Value): Tensor => {
    const known = ofValue.get(value);
    if (known) return known;
    const source = grouping.views.get(value);
    const origin = value.node.origin;
    const tensor = source
      ? make(
          { type: value.type, role: 'temporary', view: tensorOf(source), origin },
          `${tensorOf(source).name}_view`,
        )
      : inPlace.has(value)
        ? targetOf(inPlace.get(value)!, value)
        : make({ type: value.type, role: 'temporary', origin }, valueName(value));
    ofValue.set(value, tensor);
    return tensor;
  };

  const workNames = new Set<string>();
  const workNamed = (wish: string): string => {
    let name = wish;
    for (let n = 2; workNames.has(name); n++) name = `${wish}_${n}`;
    workNames.add(name);
    return name;
  };

  const works = groups.flatMap((group): Work[] => {
    if (group.loop) return loopWorks(group.loop, tensorOf, make, workNamed, ofValue);
    const ids = [...new Set(computeLoads(group.compute).map(l => l.input))];
    const inputs = ids.map(id => tensorOf(grouping.values.get(id)!));
    const compute = {
      ...mapLoads(group.compute, load => ({ ...load, input: ids.indexOf(load.input) })),
      inputs: inputs.map(t => t.type),
    };
    const outputs = group.values.map(tensorOf);
    const nodes = [...new Set(group.nodes)];
    const own = nodes.find(n => n.outputs.includes(group.values[0]!));
    const main = nodes.find(n => !lightKinds.includes(n.op.kind)) ?? own ?? nodes.at(-1);
    const origin = main?.origin ?? group.values[0]!.node.origin;
    const computing = nodes.filter(n => n.op.kind !== 'view' && n.inputs.length > 0).map(n => n.op.name);
    const absorbed = computing.length > 0 ? computing : nodes.map(n => n.op.name);
    const wish = word([origin.path ?? '', main?.op.name ?? 'start'].filter(Boolean).join('_'));
    const region = { outer: [], stages: [compute] };
    return [{ name: workNamed(wish), origin, inputs, outputs, region, absorbed }];
  });

  // What is still an input's memory is copied before any target is overwritten: two states may change places.
  const snapshots = new Map<Value, Tensor>();
  const snapshot = (value: Value): Tensor => {
    if (rootOf(value, grouping.views).node.kind !== 'input') return tensorOf(value);
    const known = snapshots.get(value);
    if (known) return known;
    const { origin } = value.node;
    const copy = make({ type: value.type, role: 'temporary', origin }, `${tensorOf(value).name}_copy`);
    snapshots.set(value, copy);
    works.push(copyWork(tensorOf(value), copy, origin));
    return copy;
  };
  const results = new Map(
    graph.outputs.filter(o => o.role !== 'update').map(o => [o, snapshot(o.value)] as const),
  );
  const sources = copied.map(({ value }) => snapshot(value));
  copied.forEach(({ value, target }, i) => {
    works.push(copyWork(sources[i]!, targetOf(target, value), value.node.origin));
  });

  const outputs = graph.outputs.map((o): ProgramOutput => {
    const tensor = results.get(o) ?? targetOf(o.target!, o.value);
    return { name: o.name, role: o.role, tensor, ...(o.target !== undefined && { target: o.target }) };
  });
  return { name: graph.name, tensors, works, outputs };
}

/**
 * The works of one turn, over tensors of the program around the loop: what enters a turn and what it yields are those
 * outside, the states are those that hold their first values, and everything else is new.
 */
function loopWorks(
  { node, body, states }: LoopGroup,
  tensorOf: (value: Value) => Tensor,
  make: (tensor: Omit<Tensor, 'id' | 'name'>, wish: string) => Tensor,
  workNamed: (wish: string) => string,
  ofValue: Map<Value, Tensor>,
): Work[] {
  const { carries, yields } = loopParts(node);
  for (const { inner, final } of carries) ofValue.set(final, tensorOf(states.get(inner.name)!));
  const known = new Map<Tensor, Tensor>();
  const outside = new Map(graphInputs(node.body).map((n, i) => [n.name, node.inputs[i]!]));
  for (const t of body.tensors) {
    if (t.path === undefined) continue;
    const value = states.get(t.path) ?? outside.get(t.path);
    // What no turn reads has no place outside.
    if (value) known.set(t, tensorOf(value));
  }
  for (const { output, stack } of yields)
    known.set(body.outputs.find(o => o.name === output.name)!.tensor, tensorOf(stack));
  const tensor = (t: Tensor): Tensor => {
    const found = known.get(t);
    if (found) return found;
    const { id: _, name, view, ...rest } = t;
    const made = make({ ...rest, ...(view && { view: tensor(view) }) }, name);
    known.set(t, made);
    return made;
  };
  const own: Loop = { name: word(node.origin.path ?? 'scan'), steps: node.steps };
  const loops = new Map<Loop, Loop>();
  const loopOf = (loop: Loop | undefined): Loop => {
    if (!loop) return own;
    const found = loops.get(loop) ?? { ...loop, parent: loopOf(loop.parent) };
    loops.set(loop, found);
    return found;
  };
  return body.works.map(work => ({
    ...work,
    name: workNamed(work.name),
    inputs: work.inputs.map(tensor),
    outputs: work.outputs.map(tensor),
    loop: loopOf(work.loop),
  }));
}

function copyWork(from: Tensor, to: Tensor, origin: Origin): Work {
  const axes = to.type.shape.map((extent, i) => ({ name: `i${i}`, extent }));
  const at = axes.map(axis => ({ kind: 'axis', axis }) as const);
  const value = { kind: 'load', dtype: from.type.dtype, input: 0, at } as const;
  const compute = { inputs: [from.type], axes, outs: [{ type: to.type, value }] };
  return {
    name: `copy_${to.name}`,
    origin,
    inputs: [from],
    outputs: [to],
    region: { outer: [], stages: [compute] },
    absorbed: ['copy'],
  };
}

/** `LeNet.conv_2.weight` as a word for generated code: `LeNet_conv_2_weight`. */
export function word(path: string): string {
  const text = path.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '');
  return text === '' || /^[0-9]/.test(text) ? `v${text}` : text;
}

function valueName(value: Value): string {
  const { origin } = value.node;
  const op = value.node.kind === 'op' ? value.node.op.name : value.node.kind;
  const part = value.node.outputs.length > 1 ? `_${value.index}` : '';
  return word(`${origin.path ?? ''}_${op}${part}`);
}
