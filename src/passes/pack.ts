import * as A from '../ir/affine.ts';
import type { Axis, Compute, Expr } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import { exprKey } from '../ir/expr.ts';
import type { StateLayout } from '../ir/plan.ts';
import { type Program, storageOf, type Tensor, type Work } from '../ir/program.ts';
import { elementCount, tensor as tensorType } from '../ir/type.ts';
import { computeLoads, mapLoads } from './fuse/definition.ts';

/**
 * Horizontal fusion: works that do the same to different tensors, element by element, become one work over all of
 * them side by side. The update of every parameter by one optimiser is then a single dispatch.
 */
interface Member {
  readonly work: Work;
  /** Tensors in the order in which the expressions first name them, then outputs that are not among them. */
  readonly slots: readonly Tensor[];
}

/** Works that may be packed together, in program order; each has the same slots. */
export type PackGroup = readonly Member[];

export function packGroups(program: Program, known: Descriptions = new Map()): PackGroup[] {
  const groups = new Map<string, Member[]>();
  const results = new Set(program.outputs.filter(o => o.role !== 'update').map(o => storageOf(o.tensor)));
  for (const work of program.works) {
    if (!known.has(work)) known.set(work, describe(work, results));
    const found = known.get(work);
    if (!found) continue;
    const list = groups.get(found.key);
    if (list) list.push(found.member);
    else groups.set(found.key, [found.member]);
  }
  return [...groups.values()].filter(g => g.length > 1);
}

type Description = { readonly key: string; readonly member: Member } | undefined;

/** What is known of works; those that a pack does not touch stay the same objects. */
type Descriptions = Map<Work, Description>;

const isUniform = (t: Tensor): boolean => t.role === 'scalar' || t.role === 'key';
const isPersistent = (t: Tensor): boolean => t.role === 'param' || t.role === 'state';

/** A work is packable if it is elementwise over constant sizes and reads every tensor at its own place. */
function describe(work: Work, results: ReadonlySet<Tensor>): Description {
  const [compute] = work.region.stages;
  if (!compute || work.region.stages.length > 1 || compute.reduce || work.loop) return undefined;
  const extents = compute.axes.map(a => a.extent);
  if (D.constantValue(D.product(extents)) === undefined) return undefined;
  const own = A.indexKey(A.flatten(compute.axes.map(A.index), extents));
  const isOwn = (at: readonly Parameters<typeof A.indexKey>[0][], t: Tensor): boolean =>
    A.indexKey(A.flatten(at, t.type.shape)) === own;

  const slots: Tensor[] = [];
  const slotOf = (t: Tensor): number => {
    const root = storageOf(t);
    if (!slots.includes(root)) slots.push(root);
    return slots.indexOf(root);
  };
  for (const load of computeLoads(compute)) {
    const t = work.inputs[load.input]!;
    if (isUniform(t)) continue;
    if (load.guard || !isOwn(load.at, t)) return undefined;
    slotOf(t);
  }
  for (const [i, out] of compute.outs.entries()) {
    if (out.keep || (out.at && !isOwn(out.at, work.outputs[i]!))) return undefined;
    slotOf(work.outputs[i]!);
  }
  if (slots.some(t => t.type.dtype !== 'f32' || t.within || results.has(t))) return undefined;
  if (slots.some(t => !isPersistent(t) && t.role !== 'temporary')) return undefined;

  const neutral = mapLoads(compute, (load): Expr => {
    const t = work.inputs[load.input]!;
    return isUniform(t)
      ? { ...load, input: -1 - t.id }
      : { kind: 'load', dtype: load.dtype, input: slotOf(t), at: [] };
  });
  if (neutral.outs.some(o => mentionsAxes(o.value, compute.axes))) return undefined;
  const outs = neutral.outs.map((o, i) => `${slotOf(work.outputs[i]!)}=${exprKey(o.value)}`);
  const key = `${outs.join(';')}|${slots.map(t => (isPersistent(t) ? t.role : 'temporary')).join()}`;
  return { key, member: { work, slots } };
}

function mentionsAxes(e: Expr, axes: readonly Axis[]): boolean {
  const key = exprKey(e);
  return axes.some(a => !D.isConstant(a.extent, 1) && key.includes(A.indexKey(A.index(a))));
}

/** Parameters and states in an order in which the members of every group lie side by side, slot by slot. */
export function stateOrder(groups: readonly PackGroup[], all: readonly Tensor[]): Tensor[] {
  const order = new Set<string>();
  for (const group of groups)
    for (let slot = 0; slot < group[0]!.slots.length; slot++)
      for (const { slots } of group) if (isPersistent(slots[slot]!)) order.add(slots[slot]!.path!);
  for (const t of all) if (isPersistent(t)) order.add(t.path!);
  // An initialiser does not read what it sets, so it takes parameters for states; whoever reads them knows better.
  const byPath = new Map<string, Tensor>();
  for (const t of all.filter(isPersistent)) if (byPath.get(t.path!)?.role !== 'param') byPath.set(t.path!, t);
  const ordered = [...order].flatMap(path => byPath.get(path) ?? []);
  return [...ordered.filter(t => t.role === 'param'), ...ordered.filter(t => t.role === 'state')];
}

const alignment = 256 / 4;
const size = (t: Tensor): number => D.evaluate(elementCount(t.type));
const aligned = (n: number): number => Math.ceil(n / alignment) * alignment;

/**
 * Replaces the works of each group by one, as far as their state lies side by side in the layout, and what is bound as one
 * takes no more than `most` bytes: as much as every device binds.
 */
export function pack(
  program: Program,
  layout: StateLayout,
  most: number = Number.POSITIVE_INFINITY,
): Program {
  const offsets = new Map(layout.tensors.map(t => [t.name, t.offset / 4]));
  const tried = new Set<string>();
  const known: Descriptions = new Map();
  let result = program;
  for (;;) {
    // Groups are found again each time: what has become part of a pack is not packed twice.
    const run = packGroups(result, known)
      .flatMap(group => adjacentRuns(group, offsets, most / 4))
      .find(r => r.length > 1 && !tried.has(runKey(r)));
    if (!run) return result;
    tried.add(runKey(run));
    result = packRun(result, run, offsets);
  }
}

const runKey = (run: readonly Member[]): string =>
  run.map(m => m.work.outputs.map(t => storageOf(t).id).join()).join(';');

/**
 * Cuts a group where its persistent members stop being neighbours in every slot alike, where a tensor would be two
 * members of packs at once, and behind so many words.
 */
function adjacentRuns(group: PackGroup, offsets: ReadonlyMap<string, number>, most: number): Member[][] {
  const persistent = group[0]!.slots.flatMap((t, i) => (isPersistent(t) ? [i] : []));
  const at = (m: Member, slot: number): number => offsets.get(m.slots[slot]!.path!)!;
  const [first] = persistent;
  if (first === undefined) return [];
  const sorted = [...group].sort((a, b) => at(a, first) - at(b, first));
  const runs: Member[][] = [[sorted[0]!]];
  let taken = new Set(sorted[0]!.slots);
  for (const member of sorted.slice(1)) {
    const run = runs.at(-1)!;
    const before = run.at(-1)!;
    const adjacent = persistent.every(
      s => at(member, s) - at(before, s) === aligned(size(before.slots[first]!)),
    );
    const shared = member.slots.some(t => taken.has(t));
    const whole = at(member, first) + size(member.slots[first]!) - at(run[0]!, first);
    if (adjacent && !shared && whole <= most) run.push(member);
    else {
      runs.push([member]);
      taken = new Set();
    }
    for (const t of member.slots) taken.add(t);
  }
  return runs;
}

/** Whether every work of a run may wait for the last one: nothing between reads what it writes or writes what it uses. */
function mayWait(program: Program, run: readonly Member[], first: number, place: number): boolean {
  const members = new Map(run.map(m => [m.work, m]));
  const written = new Set<Tensor>();
  const used = new Set<Tensor>();
  for (const work of program.works.slice(first, place)) {
    const member = members.get(work);
    if (member) {
      for (const t of work.outputs) written.add(storageOf(t));
      for (const t of member.slots) used.add(t);
    } else if (
      work.inputs.some(t => written.has(storageOf(t))) ||
      work.outputs.some(t => used.has(storageOf(t)))
    )
      return false;
  }
  return true;
}

function packRun(program: Program, run: readonly Member[], offsets: ReadonlyMap<string, number>): Program {
  const works = new Set(run.map(m => m.work));
  const places = program.works.flatMap((w, i) => (works.has(w) ? [i] : []));
  const place = places.at(-1)!;
  if (!mayWait(program, run, places[0]!, place)) return program;

  // Where each member lies in its pack: the same in every slot.
  const starts: number[] = [];
  let total = 0;
  for (const { slots } of run) {
    starts.push(total);
    total += aligned(size(slots[0]!));
  }
  total = starts.at(-1)! + size(run.at(-1)!.slots[0]!);

  let nextId = program.tensors.reduce((most, t) => Math.max(most, t.id), 0) + 1;
  const replaced = new Map<Tensor, Tensor>();
  const packs = run[0]!.slots.map((model, slot): Tensor => {
    const persistent = isPersistent(model);
    const packed: Tensor = {
      id: nextId++,
      name: packName(run.map(m => m.slots[slot]!)),
      type: tensorType('f32', [total]),
      role: 'pack',
      ...(persistent && { path: 'state' }),
      origin: run[0]!.work.origin,
    };
    run.forEach((m, i) => {
      const t = m.slots[slot]!;
      replaced.set(t, { ...t, within: { pack: packed, offset: starts[i]! } });
    });
    return packed;
  });
  if (
    run.some((m, i) =>
      m.slots.some(
        t =>
          isPersistent(t) &&
          offsets.get(t.path!)! - starts[i]! !== offsets.get(run[0]!.slots[m.slots.indexOf(t)]!.path!)!,
      ),
    )
  )
    return program;

  const tensorOf = (t: Tensor): Tensor => {
    const known = replaced.get(t);
    if (known) return known;
    if (!t.view) return t;
    const view = tensorOf(t.view);
    if (view === t.view) return t;
    const moved = { ...t, view };
    replaced.set(t, moved);
    return moved;
  };
  const merged = mergedWork(run, packs, total, tensorOf);
  const kept = program.works.flatMap((w, i): Work[] => {
    if (i === place) return [merged];
    if (works.has(w)) return [];
    const inputs = w.inputs.map(tensorOf);
    const outputs = w.outputs.map(tensorOf);
    const same = inputs.every((t, k) => t === w.inputs[k]) && outputs.every((t, k) => t === w.outputs[k]);
    return [same ? w : { ...w, inputs, outputs }];
  });
  return {
    ...program,
    tensors: [...program.tensors.map(tensorOf), ...packs],
    works: kept,
    outputs: program.outputs.map(o => ({ ...o, tensor: tensorOf(o.tensor) })),
  };
}

function mergedWork(
  run: readonly Member[],
  packs: readonly Tensor[],
  total: number,
  tensorOf: (t: Tensor) => Tensor,
): Work {
  const [{ work, slots }] = run as readonly [Member];
  const compute = work.region.stages[0] as Compute;
  const axis: Axis = { name: 'i', extent: D.constant(total) };
  const inputs: Tensor[] = [];
  const inputOf = (t: Tensor): number => {
    if (!inputs.includes(t)) inputs.push(t);
    return inputs.indexOf(t);
  };
  const moved = mapLoads(compute, (load): Expr => {
    const t = work.inputs[load.input]!;
    if (isUniform(t)) return { ...load, input: inputOf(tensorOf(t)) };
    const packed = packs[slots.indexOf(storageOf(t))]!;
    return { kind: 'load', dtype: load.dtype, input: inputOf(packed), at: [A.index(axis)] };
  });
  const outputs = work.outputs.map(t => packs[slots.indexOf(storageOf(t))]!);
  const outs = moved.outs.map((o, i) => ({ type: outputs[i]!.type, value: o.value }));
  return {
    name: `${run[0]!.work.absorbed.at(-1) === 'copy' ? 'copy' : 'update'}_${packs[0]!.name}`,
    origin: work.origin,
    inputs,
    outputs,
    region: { outer: [], stages: [{ inputs: inputs.map(t => t.type), axes: [axis], outs }] },
    absorbed: [...work.absorbed, `${run.length} tensors side by side`],
  };
}

/** What the members' names have in common, or the first one's name. */
function packName(members: readonly Tensor[]): string {
  const [first] = members;
  const words = members.map(t => t.name.split('_'));
  const last = words[0]!.at(-1)!;
  const common = words[0]!.filter((w, i) => words.every(list => list[i] === w)).join('_');
  return `all_${isPersistent(first!) && first!.role === 'param' ? common || 'parameters' : `${common || last}`}${first!.role === 'temporary' ? '_gradients' : ''}`;
}
