import { type BlockChoice, invocations, type ProductShape, pitchesOf } from './blocks.ts';
import type { FillOrder } from './fill.ts';

/**
 * A large GPU in round numbers: compute units, each with schedulers that issue an instruction of 32 lanes a cycle,
 * registers, workgroup memory and invocations that it holds; cycles until memory answers, bytes a cycle that all units
 * together read from it, and what a dispatch and a barrier take. Only ratios matter.
 */
const gpu = {
  units: 128,
  cyclesPerNanosecond: 1.5,
  schedulers: 4,
  registers: 65536,
  storage: 96 * 1024,
  invocations: 2048,
  groups: 24,
  latency: 700,
  bytes: 2500,
  dispatch: 3000,
  barrier: 40,
};

/** Registers that an invocation has before compilers spill, on what is not the largest of GPUs. */
const comfortable = 128;

/** Instructions for one read on its way into workgroup memory: its address, its conditions, the store. */
const fillInstructions = { plain: 8, guarded: 14 };

/** A block before it is known into how many parts the reduction is cut. */
type Block = Omit<BlockChoice, 'pieces'>;

/** What filling workgroup memory from one side takes: reads, stores in turns of all banks, registers. */
function filled(
  width: number,
  pitch: number,
  depth: number,
  threads: number,
  { fours, alongDepth }: FillOrder,
): { readonly reads: number; readonly stores: number; readonly registers: number } {
  const reads = (width * depth) / (threads * (fours ? 4 : 1));
  // Four lanes that are turned are stored one by one; without padding their lines begin in the same bank.
  const stores = fours && alongDepth ? 4 : 1;
  const conflicts = alongDepth && pitch % 32 === 0 ? 8 : 1;
  return { reads, stores: reads * stores * conflicts, registers: reads * (fours ? 4 : 1) };
}

/**
 * Nanoseconds by a roofline: for each slice the largest of what its instructions take to issue, what workgroup memory and
 * memory take to deliver, and, unless the next slice is under way or other workgroups fill the gap, the time until memory
 * answers; times the rounds in which all workgroups have their turn. By the number of parts of the reduction, of which
 * most of it does not depend.
 */
export function blockTime(c: Block, shape: ProductShape): (pieces: number) => number {
  const threads = invocations(c);
  const warps = Math.ceil(threads / 32);
  const orders = c.vectors ? shape.orders.vectors : shape.orders.scalars;
  const by = c.vectors ? 4 : 1;

  const cells = c.perRow * c.perColumn;
  const pitches = pitchesOf(c, orders);
  const left = filled(c.rows, pitches.left, c.depth, threads, orders.left);
  const right = filled(c.columns, pitches.right, c.depth, threads, orders.right);
  const reads = left.reads + right.reads;
  const waiting = c.ahead ? left.registers + right.registers : 4;
  const registers = cells * (shape.long ? 2 : 1) + c.perRow + c.perColumn + waiting + 24;

  const storage = (c.ahead ? 2 : 1) * c.depth * (pitches.left + pitches.right) * shape.bytes;
  const resident = Math.max(
    1,
    Math.min(
      Math.floor(gpu.registers / (threads * registers)),
      Math.floor(gpu.storage / storage),
      Math.floor(gpu.invocations / threads),
      gpu.groups,
    ),
  );
  const tiles = Math.ceil(shape.rows / c.rows) * Math.ceil(shape.columns / c.columns) * shape.batch;

  // One workgroup and one slice, in cycles of its unit.
  const perDepth = cells + (c.perRow + c.perColumn) / by;
  const fill = reads * (shape.guarded ? fillInstructions.guarded : fillInstructions.plain);
  const issue = (warps * (c.depth * perDepth + fill)) / gpu.schedulers;
  // 32 lanes read columns that lie side by side, and few different rows.
  const delivered = (c.perColumn / by) * (c.vectors ? 2 : 1) + c.perRow / by;
  const shared = warps * (c.depth * delivered + (left.stores + right.stores));
  const moved = c.depth * (c.rows + c.columns) * shape.bytes;
  const spills = registers > comfortable ? registers / comfortable : 1;

  return pieces => {
    const groups = tiles * pieces;
    const rounds = Math.ceil(groups / (gpu.units * resident));
    const together = Math.min(resident, Math.ceil(groups / gpu.units));
    const memory = (moved * Math.min(gpu.units, groups)) / gpu.bytes;
    const busy = Math.max(issue, shared, memory) + gpu.barrier * (c.ahead ? 1 : 2);
    const latency = c.ahead ? gpu.latency : busy + gpu.latency;
    const slice = Math.max(together * busy, latency);

    const slices = Math.ceil(shape.depth / pieces / c.depth);
    const stores = (together * warps * cells * 8) / gpu.schedulers;
    const first = (rounds * (slices * slice * spills + stores)) / gpu.cyclesPerNanosecond;
    if (pieces === 1) return gpu.dispatch + first;
    const outputs = shape.rows * shape.columns * shape.batch;
    const second = (outputs * (2 * pieces + 1) * 4) / gpu.bytes / gpu.cyclesPerNanosecond;
    return 2 * gpu.dispatch + first + second + gpu.latency;
  };
}

/** What all blocks with these sides take at least: their instructions, spread over all units. */
export function leastTime(
  c: Pick<BlockChoice, 'rows' | 'columns' | 'perRow' | 'perColumn' | 'vectors'>,
  shape: ProductShape,
): number {
  const tiles = Math.ceil(shape.rows / c.rows) * Math.ceil(shape.columns / c.columns) * shape.batch;
  const perDepth = c.perRow * c.perColumn + (c.perRow + c.perColumn) / (c.vectors ? 4 : 1);
  const issue = (Math.ceil(invocations(c) / 32) * shape.depth * perDepth) / gpu.schedulers;
  return gpu.dispatch + (tiles * issue) / gpu.units / gpu.cyclesPerNanosecond;
}
