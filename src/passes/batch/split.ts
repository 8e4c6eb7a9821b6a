import type { IndexLike } from '../../ir/affine.ts';
import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out, Predicate } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { comparisonKey, simplifyPredicate } from '../../ir/predicate.ts';
import { storageOf, type Tensor, type Work } from '../../ir/program.ts';
import type { TensorType } from '../../ir/type.ts';
import { mapCompute, valueOfFills } from '../fuse/definition.ts';
import { trimInputs } from '../schedule/split.ts';
import { axesIn, isAxis, keptAxes } from './axes.ts';
import { type BatchLayout, blockSize } from './layout.ts';

/** [.., N, ..] -> [N in blocks, .., 8] */
export function blockedType({ dtype, shape }: TensorType, position: number): TensorType {
  return {
    dtype,
    shape: [blocksOf(shape[position]!), ...shape.toSpliced(position, 1), D.constant(blockSize)],
  };
}

const blocksOf = (n: Dim): Dim => D.floorDiv(D.add(n, D.constant(blockSize - 1)), D.constant(blockSize));

/** Where an element of a tensor in rows lies in blocks. */
const blockedAt = (at: readonly Index[], position: number): Index[] => [
  A.floordiv(at[position]!, blockSize),
  ...at.toSpliced(position, 1),
  A.mod(at[position]!, blockSize),
];

/** The tensors of the new program. */
export interface Tensors {
  /** The same in blocks, in the place of the tensor or of a view of it. */
  blocked(tensor: Tensor): Tensor;
  /** The copy in blocks of one of the host's tensors. */
  copy(tensor: Tensor): Tensor;
  /** Room for what a work makes in blocks of a tensor in rows. */
  make(tensor: Tensor, type: TensorType): Tensor;
  /** Whether one work alone writes it. */
  isMadeOnce(tensor: Tensor): boolean;
  /** From now on the tensor lies where these blocks do, since they hold the same. */
  unite(blocks: Tensor, tensor: Tensor): void;
  /** Whether the tensor is wanted in rows as well. */
  inRows(tensor: Tensor): boolean;
}

/** An axis over the batch as two: number = 8 * block + lane. */
interface Halves {
  readonly block: Axis;
  readonly lane: Axis;
  readonly whole: Index;
  /** Holds before the end of the batch; empty where blocks fill it. */
  readonly isInside: Predicate;
}

function halve({ name, extent }: Axis): Halves {
  const block: Axis = { name: `${name}_block`, extent: blocksOf(extent) };
  const lane: Axis = { name: `${name}_lane`, extent: D.constant(blockSize) };
  const whole = A.add(A.mul(block, blockSize), lane);
  return { block, lane, whole, isInside: simplifyPredicate([{ op: 'lt', a: whole, b: A.index(extent) }]) };
}

/** The work over blocks, followed by those that bring back into rows what is wanted there. */
export function splitWork(work: Work, compute: Compute, layout: BatchLayout, tensors: Tensors): Work[] {
  const axis = layout.split.get(work);
  const halves = axis && halve(axis);
  const inputs = new InputList();
  const moved = moveLoads(work, compute, layout, tensors, inputs, axis, halves);
  if (!axis || !halves) return [inputs.finish(work, moved, work.outputs)];
  const { block, lane, isInside } = halves;
  const parts = (list: readonly Axis[]): Axis[] =>
    list.includes(axis) ? [...list.map(a => (a === axis ? block : a)), lane] : [...list];
  const { reduce } = moved;
  const guard = [
    ...(reduce?.guard ?? []),
    ...(reduce?.axes.includes(axis) && !layout.vanishing.has(work) ? isInside : []),
  ];
  const whole: Compute = {
    ...moved,
    axes: parts(compute.axes),
    ...(reduce && { reduce: { ...reduce, axes: parts(reduce.axes), ...(guard.length > 0 && { guard }) } }),
  };
  if (!compute.axes.includes(axis)) return [inputs.finish(work, whole, work.outputs)];

  const isZeroed = work.outputs.some(t => layout.zeroed.has(t));
  const outs = new Map<string, { readonly out: Out; readonly tensor: Tensor }>();
  const rows: Work[] = [];
  compute.outs.forEach((before, i) => {
    const out = moved.outs[i]!;
    const tensor = work.outputs[i]!;
    const kept = keptAxes(compute, before);
    const position = layout.blocked.get(tensor);
    const store = (o: Out, to: Tensor, key = `${i}`): Tensor => {
      const stored = outs.get(key);
      if (!stored) outs.set(key, { out: withPlace(o, parts(kept)), tensor: to });
      return stored?.tensor ?? to;
    };
    if (!kept.includes(axis) || (position === undefined && isInside.length === 0)) {
      store({ ...out, at: out.at ?? kept.map(a => (a === axis ? halves.whole : A.index(a))) }, tensor);
      return;
    }
    // What lies nowhere along the batch goes through blocks over the axes themselves.
    const isPlaced = position !== undefined;
    const along = position ?? kept.indexOf(axis);
    const flat = kept.map(A.index);
    const place = (isPlaced && before.at) || flat;
    const inHalves = (isPlaced && out.at) || flat.map((x, k) => (kept[k] === axis ? halves.whole : x));
    const type = blockedType(isPlaced ? out.type : { ...out.type, shape: kept.map(a => a.extent) }, along);
    const at = blockedAt(inHalves, along);
    const value = isZeroed ? zeroOutside(out.value, isInside) : out.value;
    const key = `${type.shape.map(D.print)} ${E.exprKey(value)} ${at.map(A.indexKey)} ${out.keep ? kept.map(A.axisId) : ''}`;
    const isAlone = !isPlaced || tensors.isMadeOnce(tensor);
    const known = isAlone ? outs.get(key)?.tensor : undefined;
    if (known && isPlaced) tensors.unite(known, tensor);
    const target =
      known ??
      store(
        { ...out, type, value, at },
        isPlaced ? tensors.blocked(tensor) : tensors.make(tensor, type),
        isAlone ? key : undefined,
      );
    if (!isPlaced || tensors.inRows(tensor))
      rows.push(rowsWork(work, compute, before, tensor, target, blockedAt(place, along), kept));
  });
  const made = [...outs.values()];
  const main = inputs.finish(
    work,
    { ...whole, outs: made.map(o => o.out) },
    made.map(o => o.tensor),
  );
  return [main, ...rows];
}

/** `at` and `keep` only where they say something. */
function withPlace({ at, keep, ...out }: Out, axes: readonly Axis[]): Out {
  const isPlain = at?.length === axes.length && at.every((x, i) => isAxis(x, axes[i]!));
  return { ...out, ...(at && !isPlain && { at }), ...(keep && { keep: axes }) };
}

function zeroOutside(value: Expr, isInside: Predicate): Expr {
  const [inside] = isInside;
  if (!inside) return value;
  const key = comparisonKey(inside);
  const bare = E.mapExpr(value, {
    load: load => {
      const { guard, fill: _, ...rest } = load as Extract<Expr, { kind: 'load' }>;
      return guard?.some(c => comparisonKey(c) === key) ? load : rest;
    },
  });
  if (valueOfFills(bare) === 0) return value;
  const condition = E.binary(inside.op, E.indexValue(inside.a), E.indexValue(inside.b));
  return E.select(condition, value, E.constant(0, value.dtype));
}

/** Every load at where it now lies; past the end of the batch the host's tensors are not read. */
function moveLoads(
  work: Work,
  compute: Compute,
  { blocked, copied }: BatchLayout,
  tensors: Tensors,
  inputs: InputList,
  axis: Axis | undefined,
  halves: Halves | undefined,
): Compute {
  const isMoving = (x: Index): boolean => {
    const used = axesIn(x);
    return halves !== undefined && (used.has(halves.block) || used.has(halves.lane));
  };
  const wholeKey = halves && A.indexKey(halves.whole);
  return mapCompute(compute, {
    axis: a => (halves && a === axis ? halves.whole : undefined),
    load: load => {
      const tensor = work.inputs[load.input]!;
      const storage = storageOf(tensor);
      let position = blocked.get(storage);
      let source = tensor;
      if (position !== undefined) source = tensors.blocked(tensor);
      else if (copied.has(tensor) && A.indexKey(load.at[0]!) === wholeKey) {
        position = 0;
        source = tensors.copy(tensor);
      }
      const at: readonly IndexLike[] = position === undefined ? load.at : blockedAt(load.at, position);
      const isPlain = position !== undefined && A.indexKey(load.at[position]!) === wholeKey;
      const others = isPlain ? load.at.toSpliced(position!, 1) : load.at;
      const needed = halves && others.some(isMoving) ? halves.isInside : [];
      return E.load(
        inputs.add(source),
        { dtype: load.dtype, shape: [] },
        at,
        [...needed, ...(load.guard ?? [])],
        load.fill ?? 0,
      );
    },
  });
}

/** rows[..] = blocks[..], over the axes that the out had. */
function rowsWork(
  work: Work,
  compute: Compute,
  out: Out,
  tensor: Tensor,
  blocks: Tensor,
  at: readonly Index[],
  axes: readonly Axis[],
): Work {
  const value = E.load(work.inputs.length, blocks.type, at);
  const { keep: _, ...rest } = out;
  return trimInputs({
    ...work,
    name: `${work.name}_rows`,
    inputs: [...work.inputs, blocks],
    outputs: [tensor],
    region: {
      outer: [],
      stages: [{ inputs: [...compute.inputs, blocks.type], axes, outs: [{ ...rest, value }] }],
    },
    absorbed: ['copy'],
    role: 'copy in rows',
  });
}

/** copy[block, .., lane] = tensor[8 * block + lane, ..], 0 past the end. */
export function copyWork(tensor: Tensor, copy: Tensor, name: string): Work {
  const [batch, ...others] = tensor.type.shape.map(
    (extent, i): Axis => ({ name: i === 0 ? 'n' : `i${i}`, extent }),
  );
  const { block, lane, whole, isInside } = halve(batch!);
  const value = E.load(0, tensor.type, [whole, ...others], isInside);
  const axes = [block, ...others, lane];
  return {
    name,
    origin: tensor.origin,
    inputs: [tensor],
    outputs: [copy],
    region: { outer: [], stages: [{ inputs: [tensor.type], axes, outs: [{ type: copy.type, value }] }] },
    absorbed: ['copy'],
    role: 'copy in blocks',
  };
}

/** The inputs of a work while its loads move, each tensor once. */
class InputList {
  readonly #positions = new Map<Tensor, number>();

  add(tensor: Tensor): number {
    const known = this.#positions.get(tensor);
    if (known !== undefined) return known;
    this.#positions.set(tensor, this.#positions.size);
    return this.#positions.size - 1;
  }

  finish(work: Work, compute: Compute, outputs: readonly Tensor[]): Work {
    const inputs = [...this.#positions.keys()];
    const stage = { ...compute, inputs: inputs.map(t => t.type) };
    return { ...work, inputs, outputs, region: { outer: [], stages: [stage] } };
  }
}
