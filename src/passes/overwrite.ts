import * as A from '../ir/affine.ts';
import type { Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import { type Program, storageOf, type Tensor, type Work } from '../ir/program.ts';
import { elementCount } from '../ir/type.ts';
import { computeLoads } from './fuse/definition.ts';
import { constantsOf } from './plan/prologue.ts';

/**
 * A work without a reduction writes over an input that nothing needs afterwards, where it reads it at the element that it
 * is about to write and nowhere else: its result becomes a view of that input. Outside of loops, for temporaries only.
 * What the prologue makes is still needed in the next run, and only it may write over that.
 */
export function overwrite(program: Program): Program {
  const constants = constantsOf(program);
  const last = new Map<number, Work>();
  const writers = new Map<number, number>();
  for (const work of program.works) {
    for (const t of [...work.inputs, ...work.outputs]) last.set(storageOf(t).id, work);
    for (const t of new Set(work.outputs.map(storageOf))) writers.set(t.id, (writers.get(t.id) ?? 0) + 1);
  }
  const results = new Set(program.outputs.map(o => storageOf(o.tensor).id));
  // Views of what becomes a view follow it.
  const moved = new Map<number, Tensor>();
  const followed = new Map<Tensor, Tensor>();
  const follow = (t: Tensor): Tensor => {
    const known = followed.get(t);
    if (known) return known;
    const view = t.view ? follow(t.view) : moved.get(t.id);
    const now = view === t.view || !view ? t : { ...t, view };
    followed.set(t, now);
    return now;
  };
  const isOwn = (t: Tensor): boolean => t.role === 'temporary' && !t.within;
  for (const work of program.works) {
    const [compute] = work.region.stages;
    if (!compute || work.region.stages.length > 1 || compute.reduce || work.loop) continue;
    if (compute.outs.some(o => o.keep || o.partial)) continue;
    const taken = new Set<number>();
    compute.outs.forEach((out, i) => {
      const output = work.outputs[i]!;
      if (output.view || !isOwn(output) || writers.get(output.id) !== 1) return;
      const own = keyOf(out.at ?? compute.axes.map(A.index), output);
      const input = work.inputs.find(
        t =>
          isOwn(storageOf(t)) &&
          last.get(storageOf(t).id) === work &&
          !results.has(storageOf(t).id) &&
          (!constants.has(storageOf(t).id) || constants.has(output.id)) &&
          !taken.has(storageOf(t).id) &&
          storageOf(t).id !== output.id &&
          sameSize(storageOf(t), output) &&
          computeLoads(compute).every(load => {
            const read = work.inputs[load.input]!;
            if (storageOf(read).id !== storageOf(t).id) return true;
            return !load.guard && keyOf(load.at, read) === own;
          }),
      );
      if (!input) return;
      taken.add(storageOf(input).id);
      moved.set(output.id, storageOf(input));
    });
  }
  if (moved.size === 0) return program;
  return {
    ...program,
    tensors: program.tensors.map(follow),
    works: program.works.map(w => ({ ...w, inputs: w.inputs.map(follow), outputs: w.outputs.map(follow) })),
    outputs: program.outputs.map(o => ({ ...o, tensor: follow(o.tensor) })),
  };
}

const keyOf = (at: readonly Index[], { type }: Tensor): string => A.indexKey(A.flatten(at, type.shape));

const sameSize = (a: Tensor, b: Tensor): boolean =>
  a.type.dtype === b.type.dtype && D.equal(elementCount(a.type), elementCount(b.type));
