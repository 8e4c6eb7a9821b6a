import type { Dim, DimEnv } from '../dim.ts';
import * as D from '../dim.ts';
import { bufferUses } from '../kernel-access.ts';
import type { Binding, Plan, StateLayout } from '../plan.ts';
import { inRunningOrder, type Loop, storageOf, type Tensor, turnsAt } from '../program.ts';
import { overlap, type Range, Ranges } from './ranges.ts';

/**
 * What is wrong with a plan, one sentence each; empty where nothing is. Sizes are tried where none are given: every
 * free dim at 1, 2, 3 and 64. Blocks that live at the same time are disjoint, bindings are aligned and inside their
 * buffers, tensors of one dispatch do not share memory. Apart from what the blocks say of lifetimes, the program is
 * replayed: every write marks its bytes with the tensor, and every read must find its tensor's marks on all of them.
 * What the prologue makes is written by nothing else, and it reads nothing that changes.
 */
export function verifyPlan(plan: Plan, layout: StateLayout, ...sizes: readonly DimEnv[]): string[] {
  if (sizes.length > 0) return sizes.flatMap(s => verifyFor(plan, layout, s));
  const usual = plan.dims.length === 0 ? [1] : [1, 2, 3, 64];
  return usual
    .map(n => Object.fromEntries(plan.dims.map(d => [d, n])))
    .filter(s => plan.positive.every(d => D.evaluate(d, s) >= 1))
    .flatMap(s => verifyFor(plan, layout, s));
}

function verifyFor(plan: Plan, layout: StateLayout, sizes: DimEnv): string[] {
  const problems: string[] = [];
  const at = (d: Dim): number => D.evaluate(d, sizes);
  const small = plan.positive.filter(d => !(at(d) >= 1));
  if (small.length > 0) return small.map(d => `${D.print(d)} = ${at(d)} is no extent`);
  const arenaBytes = at(plan.arenaBytes);
  const rangeOf = (place: { readonly offset: Dim; readonly bytes: Dim }): Range => {
    const start = at(place.offset);
    return { start, end: start + at(place.bytes) };
  };

  const blocks = plan.blocks.map(b => ({ ...b, ...rangeOf(b) }));
  for (const b of blocks) {
    if (b.start % 256 !== 0) problems.push(`${b.tensor.name} lies unaligned at ${b.start}`);
    if (b.start < 0 || b.end > arenaBytes) problems.push(`${b.tensor.name} lies outside the arena`);
  }
  problems.push(...overlaps(blocks));

  const blockOf: BlockOf = new Map(blocks.map(b => [b.tensor.id, b]));
  const arena = new Marks();
  const marks = { arena, constants: new Marks() };
  const limits = {
    state: layout.bytes,
    arena: arenaBytes,
    constants: at(plan.constantBytes ?? D.constant(0)),
  };
  const prologue = plan.prologue ?? 0;
  const changed: Range[] = [];
  for (const input of plan.inputs) {
    const block = blockOf.get(storageOf(input.tensor).id);
    if (block) arena.write(block, storageOf(input.tensor));
    else problems.push(`input ${input.name} has no block`);
  }
  // Two turns show what one hands to the next.
  const turns = (loop: Loop): number => Math.min(2, turnsAt(sizes)(loop));
  for (const number of inRunningOrder(plan.dispatches.length, plan.loops, turns)) {
    const { kernel, bindings } = plan.dispatches[number]!;
    const { name, buffers } = plan.kernels[kernel]!;
    const { reads, writes } = bufferUses(plan.kernels[kernel]!);
    const where = `dispatch ${number} (${name})`;
    if (bindings.length !== buffers.length)
      problems.push(`${where} has ${bindings.length} bindings for ${buffers.length} buffers`);
    const bothRead = (i: number, j: number): boolean =>
      buffers[i]?.access === 'read' && buffers[j]?.access === 'read';
    const ranges = bindings.map(b => ({ ...b, ...rangeOf(b) }));
    ranges.forEach((b, i) => {
      const what = `${where}: ${b.tensor.name}`;
      const limit = limits[b.buffer];
      if (b.start % 256 !== 0) problems.push(`${what} is bound unaligned at ${b.start}`);
      if (b.start < 0 || b.end > limit || b.end <= b.start || b.end % 4 !== 0)
        problems.push(`${what} is bound at ${b.start}..${b.end} of ${limit} bytes of ${b.buffer}`);
      for (const other of ranges.slice(i + 1))
        if (other.buffer === b.buffer && overlap(b, other) && !bothRead(i, ranges.indexOf(other)))
          problems.push(`${what} shares memory with ${other.tensor.name}`);
      const isRead = reads.has(buffers[i]?.name ?? '');
      const isWritten = writes.has(buffers[i]?.name ?? '');
      if (b.buffer !== 'state' && isRead)
        problems.push(
          ...marks[b.buffer].misread(partsOf(b, blockOf, b)).map(p => `${what} is read but holds ${p}`),
        );
      if (isWritten && (b.buffer === 'constants') !== number < prologue)
        problems.push(
          `${what} is written into ${b.buffer} ${number < prologue ? 'in' : 'behind'} the prologue`,
        );
      if (b.buffer === 'arena' && number < prologue) problems.push(`${what} is not the same in every run`);
      if (b.buffer === 'state' && isWritten && prologue > 0) changed.push(b);
    });
    ranges.forEach((b, i) => {
      if (b.buffer !== 'state' && writes.has(buffers[i]?.name ?? ''))
        marks[b.buffer].write(b, storageOf(b.tensor));
    });
  }
  for (const { name, bindings } of plan.dispatches.slice(0, prologue))
    for (const b of bindings)
      if (b.buffer === 'state' && changed.some(c => overlap(c, rangeOf(b))))
        problems.push(`prologue ${name} reads ${b.tensor.name}, which the program changes`);
  if (plan.loops.some(l => l.from < prologue)) problems.push('a loop begins in the prologue');
  for (const output of plan.outputs) {
    const start = at(output.offset);
    const { dtype, shape } = output.type;
    const bytes = shape.map(at).reduce((n, d) => n * d, dtype === 'f16' ? 2 : 4);
    const parts = partsOf({ tensor: output.tensor }, blockOf, { start, end: start + bytes });
    problems.push(...arena.misread(parts).map(p => `output ${output.name} holds ${p} at the end`));
  }
  return problems;
}

type Block = Plan['blocks'][number] & Range;

type BlockOf = ReadonlyMap<number, Block>;

/** Blocks that share memory while both live: each is compared with those that are live when it begins. Such a one counts once. */
function overlaps(blocks: readonly Block[]): string[] {
  const problems: string[] = [];
  const live = new Ranges<Block>();
  const ends = [...blocks].sort((a, b) => a.to - b.to);
  let ended = 0;
  for (const b of [...blocks].sort((x, y) => x.from - y.from)) {
    for (; ended < ends.length && ends[ended]!.to < b.from; ended++) live.delete(ends[ended]!);
    const met = live.over(b);
    for (const other of met)
      problems.push(`${other.tensor.name} and ${b.tensor.name} overlap while both live`);
    if (met.length === 0) live.add(b);
  }
  return problems;
}

/** The ranges that must hold a tensor's values: a pack is whole where its members are, with or without the gaps between. */
function partsOf(
  { tensor }: Pick<Binding, 'tensor'>,
  blockOf: BlockOf,
  range: Range,
): { range: Range; owners: readonly Tensor[] }[] {
  const storage = storageOf(tensor);
  const packs: Tensor[] = [];
  for (let t = storage; t.within; t = storageOf(t.within.pack)) packs.push(storageOf(t.within.pack));
  const block = blockOf.get(storage.id);
  const members = block?.members.filter(m => m.id !== storage.id) ?? [];
  if (members.length === 0) return [{ range, owners: [storage, ...packs] }];
  return members.map(m => {
    const start = range.start + 4 * m.within!.offset;
    const end = start + 4 * (D.constantValue(D.product(m.type.shape)) ?? 0);
    return { range: { start, end }, owners: [m, storage] };
  });
}

/** Who wrote each byte last. */
class Marks {
  readonly #parts = new Ranges<Range & { readonly owner: Tensor }>();

  write({ start, end }: Range, owner: Tensor): void {
    for (const part of this.#parts.over({ start, end })) {
      this.#parts.delete(part);
      if (part.start < start) this.#parts.add({ ...part, end: start });
      if (end < part.end) this.#parts.add({ ...part, start: end });
    }
    if (start < end) this.#parts.add({ start, end, owner });
  }

  /** What stands in the ranges that none of their owners wrote. */
  misread(wanted: readonly { readonly range: Range; readonly owners: readonly Tensor[] }[]): string[] {
    return wanted.flatMap(({ range, owners }) => {
      const inside = this.#parts.over(range);
      const stranger = inside.find(p => !owners.some(o => o.id === p.owner.id));
      if (stranger) return [`values of ${stranger.owner.name}`];
      const covered = inside.reduce(
        (sum, p) => sum + Math.min(p.end, range.end) - Math.max(p.start, range.start),
        0,
      );
      return covered < range.end - range.start ? ['bytes that nothing wrote'] : [];
    });
  }
}
