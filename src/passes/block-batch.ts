import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Program, Tensor, Work } from '../ir/program.ts';
import { storageOf } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import { batchExtent, findBatch, leastBatch } from './batch/layout.ts';
import { blockedType, copyWork, splitWork, type Tensors } from './batch/split.ts';
import { Temporaries } from './temporaries.ts';

/**
 * The batch innermost, in blocks of 8: what stands side by side in memory, and so in the lanes of a vector, is the same
 * element of 8 examples. No padding, window or gather along other dims then divides a vector.
 *
 *     y: f32[N, 6, 28, 28]              ->   y: f32[(N + 7) ~/ 8, 6, 28, 28, 8]
 *     for n < N, o, y, x                     for n_block < (N + 7) ~/ 8, o, y, x, n_lane < 8
 *       sum over c, ky, kx  x[n, ..]           sum over c, ky, kx  x[n_block, .., n_lane]
 *
 * What the host gives and takes, parameters and states, and what loops hand from turn to turn stay in rows: inputs that
 * products or windows read are copied into blocks once, results are copied back. Past the end of the batch blocks hold
 * anything, but where a sum over the batch relies on 0 being there (`batch/zeros.ts`).
 */
export function blockBatch(program: Program): Program {
  const layout = findBatch(program);
  if (!layout) return program;
  const results = new Set(program.outputs.map(o => storageOf(o.tensor)));
  const workNames = new Set(program.works.map(w => w.name));
  const writers = new Map<Tensor, number>();
  for (const t of program.works.flatMap(w => w.outputs)) writers.set(t, (writers.get(t) ?? 0) + 1);
  const temporaries = new Temporaries(program);
  const works: Work[] = [];

  const isBlocked = (tensor: Tensor): boolean => layout.blocked.has(storageOf(tensor));
  const isInRows = (tensor: Tensor): boolean => !isBlocked(tensor) || results.has(storageOf(tensor));
  const add = ({ name, origin }: Tensor, type: TensorType, view?: Tensor): Tensor =>
    temporaries.make(`${name}_blocks`, type, origin, view);
  const inBlocks = memo((tensor: Tensor): Tensor => {
    const storage = storageOf(tensor);
    const type = blockedType(tensor.type, layout.blocked.get(storage)!);
    const view = tensor.view && inBlocks.of(storage);
    return isInRows(tensor) ? add(tensor, type, view) : { ...tensor, type, ...(view && { view }) };
  });
  const copies = memo((tensor: Tensor): Tensor => {
    const copy = add(tensor, blockedType(tensor.type, 0));
    works.push(copyWork(tensor, copy, fresh(`${tensor.name}_blocks`, workNames)));
    return copy;
  });
  const tensors: Tensors = {
    make: add,
    blocked: inBlocks.of,
    copy: copies.of,
    isMadeOnce: tensor => writers.get(tensor) === 1,
    unite: (blocks, tensor) => inBlocks.set(tensor, blocks),
    inRows: isInRows,
  };
  for (const work of program.works) {
    const [stage] = work.region.stages;
    const isTouched = layout.split.has(work) || [...work.inputs, ...work.outputs].some(isBlocked);
    if (!stage || !isTouched) {
      works.push(work);
      continue;
    }
    const [main, ...rows] = splitWork(work, stage, layout, tensors);
    works.push(main!, ...rows.map(w => ({ ...w, name: fresh(w.name, workNames) })));
  }
  const kept = program.tensors.map(t => (isInRows(t) ? t : inBlocks.of(t)));
  return { ...program, tensors: [...new Set([...kept, ...temporaries.made])], works };
}

/** Blocks pay for the sizes where each of these is at least 1: for all, where the batch has a known size. */
export function blocksFit(program: Program): Dim[] {
  const extent = batchExtent(program);
  return !extent || D.constantValue(extent) !== undefined ? [] : [D.sub(extent, D.constant(leastBatch - 1))];
}

function memo<K, V>(make: (key: K) => V): { of(key: K): V; set(key: K, value: V): void } {
  const known = new Map<K, V>();
  return {
    of: key => {
      const found = known.get(key);
      if (found !== undefined) return found;
      const made = make(key);
      known.set(key, made);
      return made;
    },
    set: (key, value) => void known.set(key, value),
  };
}

function fresh(wish: string, taken: Set<string>): string {
  let name = wish;
  for (let n = 2; taken.has(name); n++) name = `${wish}_${n}`;
  taken.add(name);
  return name;
}
