import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { type Loop, type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { alignedBytes } from '../plan/placement.ts';
import { constantsOf } from '../plan/prologue.ts';
import { packMembers, tensorBytes, unitOf } from '../plan/storage.ts';

/** Works that stay together: one, or all of an outermost loop. */
export interface OrderUnit {
  readonly works: readonly Work[];
  /** Units that must have run, by position. */
  readonly after: ReadonlySet<number>;
  /** Blocks of memory that it touches, by position. */
  readonly touches: readonly number[];
  /** Storages that it writes, by number; a pack's members with it. */
  readonly writes: ReadonlySet<number>;
}

/** Memory in the arena. */
export interface OrderBlock {
  readonly bytes: number;
  /** Written by the host before the first unit. */
  readonly given: boolean;
  /** Read by the host behind the last. */
  readonly kept: boolean;
}

export interface OrderProblem {
  readonly units: readonly OrderUnit[];
  readonly blocks: readonly OrderBlock[];
  /** Blocks by the number of the tensor that they hold. */
  readonly blockOfRoot: ReadonlyMap<number, number>;
}

const outermost = (loop: Loop): Loop => (loop.parent ? outermost(loop.parent) : loop);

/**
 * What must come before what in a program, and what memory its works need. What the prologue makes is in no block, because
 * it has memory of its own (`plan/prologue.ts`).
 */
export function orderProblem(program: Program, sizes: DimEnv): OrderProblem {
  const groups: Work[][] = [];
  let open: Loop | undefined;
  for (const work of program.works) {
    const loop = work.loop && outermost(work.loop);
    if (loop && loop === open) groups.at(-1)!.push(work);
    else groups.push([work]);
    open = loop;
  }
  const { blockOf, blocks } = blocksOf(program, sizes, constantsOf(program));
  const cellsOf = cells(program);
  const writers = new Map<number, number>();
  const readers = new Map<number, number[]>();
  const units = groups.map((works, at): OrderUnit => {
    const after = new Set<number>();
    const touches = new Set<number>();
    const reads = new Set<number>();
    const writes = new Set<number>();
    for (const { inputs, outputs } of works) {
      for (const t of inputs) for (const c of cellsOf(t)) reads.add(c);
      for (const t of outputs) for (const c of cellsOf(t)) writes.add(c);
      for (const t of [...inputs, ...outputs]) {
        const block = blockOf.get(unitOf(t).root.id);
        if (block !== undefined) touches.add(block);
      }
    }
    for (const c of [...reads, ...writes]) if (writers.has(c)) after.add(writers.get(c)!);
    for (const c of writes) for (const r of readers.get(c) ?? []) after.add(r);
    for (const c of writes) {
      writers.set(c, at);
      readers.delete(c);
    }
    for (const c of reads) {
      const list = readers.get(c);
      if (list) list.push(at);
      else readers.set(c, [at]);
    }
    after.delete(at);
    return { works, after, touches: [...touches], writes };
  });
  return { units, blocks, blockOfRoot: blockOf };
}

/** What is written and read as one: the storages below a tensor, packs being made of their members. */
function cells({ tensors }: Program): (t: Tensor) => readonly number[] {
  const inside = new Map<number, Set<number>>();
  for (const t of tensors) {
    if (t.view || !t.within) continue;
    const pack = storageOf(t.within.pack).id;
    inside.set(pack, (inside.get(pack) ?? new Set()).add(t.id));
  }
  const known = new Map<number, readonly number[]>();
  const of = (id: number): readonly number[] => {
    let found = known.get(id);
    if (!found) known.set(id, (found = [id, ...[...(inside.get(id) ?? [])].flatMap(of)]));
    return found;
  };
  return t => of(storageOf(t).id);
}

function blocksOf(
  program: Program,
  sizes: DimEnv,
  constants: ReadonlySet<number>,
): { blocks: OrderBlock[]; blockOf: ReadonlyMap<number, number> } {
  const blockOf = new Map<number, number>();
  const blocks: OrderBlock[] = [];
  const members = packMembers(program.tensors);
  const kept = new Set(program.outputs.flatMap(o => (o.role === 'update' ? [] : [unitOf(o.tensor).root.id])));
  const isState = (t: Tensor): boolean => t.role === 'param' || t.role === 'state';
  for (const tensor of program.tensors) {
    const { root } = unitOf(tensor);
    if (blockOf.has(root.id) || isState(root) || root.role === 'scalar' || root.role === 'key') continue;
    if (members.get(root.id)?.some(isState) || constants.has(root.id)) continue;
    blockOf.set(root.id, blocks.length);
    blocks.push({
      bytes: D.evaluate(alignedBytes(tensorBytes(root)), sizes),
      given: root.role === 'input' || root.role === 'data',
      kept: kept.has(root.id),
    });
  }
  return { blocks, blockOf };
}
