import type { Axis, Compute, Expr, Index, Out } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { sameShape } from '../../ir/type.ts';
import { computeLoads, loadsOf } from '../fuse/definition.ts';
import { axesIn, isAxis, keptAxes, stageOf } from './axes.ts';
import { zerosFor } from './zeros.ts';

type Load = Extract<Expr, { kind: 'load' }>;

/** What of a program lies in blocks of the batch, and which axis of which work runs over it. */
export interface BatchLayout {
  readonly extent: Dim;
  /** Temporaries in blocks, with the dim that is the batch. */
  readonly blocked: ReadonlyMap<Tensor, number>;
  /** The host's tensors of which there is a copy in blocks; their first dim is the batch. */
  readonly copied: ReadonlySet<Tensor>;
  /** Those of either that hold 0 past the end of the batch, since sums over it read them. */
  readonly zeroed: ReadonlySet<Tensor>;
  /** Works whose axis over the batch becomes two. */
  readonly split: ReadonlyMap<Work, Axis>;
  /** Works among those that sum over the batch and whose terms vanish past its end. */
  readonly vanishing: ReadonlySet<Work>;
}

/** Examples side by side: two vectors of four lanes. As fast as 16 where those are full, and leaves fewer empty at the end. */
export const blockSize = 8;

/** The smallest batch for which blocks pay: half a block. */
export const leastBatch = 4;

/** Undefined where there is no batch, or no work reads what lies along it again and again. */
export function findBatch(program: Program): BatchLayout | undefined {
  const extent = batchExtent(program);
  if (!extent) return undefined;
  const { axes, positions } = flow(program, extent);
  const blocked = blockable(program, extent, axes, positions);

  const copied = new Set<Tensor>();
  const split = new Map<Work, Axis>();
  let pays = false;
  for (const [work, axis] of axes) {
    const compute = stageOf(work)!;
    const isOuter = compute.axes.includes(axis);
    const lifted = loadsOf(compute.reduce?.lift ?? []).filter(load => {
      const storage = storageOf(work.inputs[load.input]!);
      const along = blocked.get(storage) ?? (isFromHost(storage) ? positions.get(storage) : undefined);
      return along !== undefined && isAxis(load.at[along], axis);
    });
    const again = lifted.filter(load => isReadAgain(compute, load));
    const needed = isOuter
      ? work.outputs.some(t => blocked.has(t)) || again.length > 0
      : lifted.some(load => blocked.has(storageOf(work.inputs[load.input]!)));
    if (!needed) continue;
    split.set(work, axis);
    pays ||= isOuter && again.length > 0;
    for (const load of again) {
      const tensor = work.inputs[load.input]!;
      if (isFromHost(tensor)) copied.add(tensor);
    }
  }
  if (!pays) return undefined;
  return { extent, blocked, copied, split, ...zerosFor(split, blocked, copied) };
}

const isFromHost = (t: Tensor): boolean => !t.view && (t.role === 'input' || t.role === 'data');

/** The commonest first dim of what the host hands over: a free dim, or a number that is large enough. */
export function batchExtent({ tensors }: Program): Dim | undefined {
  const counts = new Map<string, { extent: Dim; count: number }>();
  for (const t of tensors) {
    const [extent] = t.type.shape;
    if (!isFromHost(t) || !extent || !(isFree(extent) || (D.constantValue(extent) ?? 0) >= leastBatch))
      continue;
    const known = counts.get(extent.key) ?? { extent, count: 0 };
    counts.set(extent.key, { extent, count: known.count + 1 });
  }
  return [...counts.values()].reduce<{ extent?: Dim; count: number }>(
    (best, x) => (x.count > best.count ? x : best),
    { count: 0 },
  ).extent;
}

const isFree = ({ terms: [term, ...others] }: Dim): boolean =>
  others.length === 0 &&
  term?.coefficient === 1 &&
  term.atoms.length === 1 &&
  term.atoms[0]!.kind === 'symbol';

/** Which axis of each work runs over the batch, and which dim of each tensor is stored along it. */
function flow(program: Program, extent: Dim): { axes: Map<Work, Axis>; positions: Map<Tensor, number> } {
  const axes = new Map<Work, Axis>();
  const positions = new Map<Tensor, number>();
  for (const t of program.tensors)
    if (isFromHost(t) && t.type.shape[0] && D.equal(t.type.shape[0], extent)) positions.set(t, 0);
  for (const work of program.works) {
    const compute = stageOf(work);
    if (!compute) continue;
    const seen = new Set<Axis>();
    for (const load of computeLoads(compute)) {
      const x = load.at[positions.get(storageOf(work.inputs[load.input]!)) ?? -1];
      if (x?.kind === 'axis') seen.add(x.axis);
    }
    // A free dim says what it is wherever it stands, a number does not.
    const runs = (a: Axis): boolean => D.equal(a.extent, extent) && (isFree(extent) || seen.has(a));
    const axis = [compute.axes, compute.reduce?.axes ?? []]
      .flatMap(list => [...list.filter(a => seen.has(a)), ...list])
      .find(runs);
    if (!axis || !isMovable(work, compute)) continue;
    axes.set(work, axis);
    if (compute.axes.includes(axis))
      compute.outs.forEach((out, i) => {
        const position = placeOf(compute, out).findIndex(x => isAxis(x, axis));
        const tensor = work.outputs[i]!;
        if (position >= 0 && !positions.has(tensor)) positions.set(tensor, position);
      });
  }
  return { axes, positions };
}

/** Whether its outs may be stored elsewhere first: all of each, at places that it does not overwrite. */
function isMovable({ inputs, outputs }: Work, { outs }: Compute): boolean {
  const written = new Set(outputs.map(storageOf));
  const places = loadsOf(outs.flatMap(o => (o.at ?? []).map(E.indexValue)));
  return outs.every(o => !o.partial) && !places.some(l => written.has(storageOf(inputs[l.input]!)));
}

const placeOf = (compute: Compute, out: Out): readonly Index[] =>
  out.at ?? keptAxes(compute, out).map(axis => ({ kind: 'axis', axis }));

/** Temporaries that are stored by axes over the batch alone, and read at nothing but axes there. */
function blockable(
  program: Program,
  extent: Dim,
  axes: ReadonlyMap<Work, Axis>,
  positions: ReadonlyMap<Tensor, number>,
): Map<Tensor, number> {
  const found = new Map([...positions].filter(([t]) => t.role === 'temporary' && !t.view && !t.within));
  const drop = (t: Tensor): void => void found.delete(storageOf(t));
  const reads = new Set<Tensor>();
  for (const t of program.tensors)
    if (t.view && !(found.get(storageOf(t)) === 0 && t.type.shape[0] && D.equal(t.type.shape[0], extent)))
      drop(t);
  for (const work of program.works) {
    const compute = stageOf(work);
    if (!compute) {
      [...work.inputs, ...work.outputs].forEach(drop);
      continue;
    }
    const axis = axes.get(work);
    compute.outs.forEach((out, i) => {
      const tensor = work.outputs[i]!;
      const fits =
        axis &&
        keptAxes(compute, out).includes(axis) &&
        isAxis(placeOf(compute, out)[found.get(tensor) ?? -1], axis) &&
        sameShape(out.type.shape, tensor.type.shape);
      if (!fits) drop(tensor);
    });
    for (const load of computeLoads(compute)) {
      const storage = storageOf(work.inputs[load.input]!);
      reads.add(storage);
      if (load.at[found.get(storage) ?? 0]?.kind !== 'axis') drop(storage);
    }
  }
  // Results leave in rows; what nothing else reads is stored so at once where that takes no condition.
  const isFull = D.divideExact(extent, D.constant(blockSize)) !== undefined;
  for (const { tensor } of program.outputs) {
    const storage = storageOf(tensor);
    const [writer, ...others] = program.works.filter(w => w.outputs.some(t => storageOf(t) === storage));
    const isFolded = writer && stageOf(writer)?.reduce !== undefined;
    if (others.length > 0 || !(reads.has(storage) || (isFolded && !isFull))) drop(storage);
  }
  return found;
}

/** Whether an element that is folded takes part in several results: products, windows. */
function isReadAgain({ axes, reduce }: Compute, load: Load): boolean {
  const used = load.at.map(axesIn);
  const moves = (a: Axis): boolean => !D.isConstant(a.extent, 1);
  const isUsed = (a: Axis): boolean => used.some(u => u.has(a));
  const isWindow = used.some(u => [...u].filter(moves).length > 1);
  return (reduce?.axes ?? []).some(isUsed) && (isWindow || axes.some(a => moves(a) && !isUsed(a)));
}
