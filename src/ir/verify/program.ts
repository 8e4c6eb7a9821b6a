import { Recent } from '../../support/recent.ts';
import type { Axis, Compute } from '../compute.ts';
import { computeKey } from '../compute-key.ts';
import { equal, product } from '../dim.ts';
import { type Program, storageOf, type Tensor } from '../program.ts';
import { printType, sameType } from '../type.ts';
import { verifyCompute } from './compute.ts';

/** Computes that are in order; most outlive the pass that made them. */
const sound = new WeakSet<Compute>();

/** What is wrong with Computes by what they are: a deep net has many equal ones, and its programs have them in common. */
const verified = new Recent<readonly string[]>(1000);

/** What is wrong with a fused program, a line each: reads before writes, wrong types, unsound computes. */
export function verifyProgram(program: Program): string[] {
  const problems: string[] = [];
  const tensors = new Set(program.tensors);
  const written = new Set<Tensor>();
  const problemsOf = (compute: Compute, outer: readonly Axis[]): readonly string[] => {
    if (outer.length > 0) return verifyCompute(compute, outer);
    if (sound.has(compute)) return [];
    const found = verified.of(computeKey(compute), () => verifyCompute(compute));
    if (found.length === 0) sound.add(compute);
    return found;
  };
  const isWritten = (t: Tensor): boolean => {
    const root = storageOf(t);
    if (root.role !== 'temporary' && root.role !== 'pack') return true;
    if (root.within) return written.has(root) || written.has(root.within.pack);
    if (root.role === 'pack')
      return program.tensors
        .filter(m => m.within?.pack === root)
        .every(m => m.role !== 'temporary' || written.has(m));
    return written.has(root);
  };
  for (const work of program.works) {
    const at = `work ${work.name}`;
    const stage = work.region.stages.at(-1);
    for (const t of [...work.inputs, ...work.outputs])
      if (!tensors.has(t)) problems.push(`${at}: ${t.name} is not a tensor of the program`);
    for (const t of work.inputs)
      if (!isWritten(t)) problems.push(`${at}: ${t.name} is read before it is written`);
    for (const compute of work.region.stages)
      problems.push(...problemsOf(compute, work.region.outer).map(p => `${at}: ${p}`));
    if (stage?.outs.length !== work.outputs.length)
      problems.push(`${at}: ${stage?.outs.length} outs for ${work.outputs.length} tensors`);
    work.outputs.forEach((t, i) => {
      const type = stage?.outs[i]?.type;
      const fits = type && type.dtype === t.type.dtype && equal(product(type.shape), product(t.type.shape));
      if (type && !fits) problems.push(`${at}: ${t.name}: ${printType(t.type)} is given ${printType(type)}`);
      written.add(storageOf(t));
    });
    work.inputs.forEach((t, i) => {
      const type = stage?.inputs[i];
      if (type && work.region.stages.length === 1 && !sameType(type, t.type))
        problems.push(`${at}: input ${i} is ${printType(type)}, ${t.name} is ${printType(t.type)}`);
    });
  }
  for (const o of program.outputs)
    if (!isWritten(o.tensor)) problems.push(`output ${o.name} is never written`);
  return problems;
}
