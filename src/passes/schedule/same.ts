import { computeKey } from '../../ir/compute-key.ts';
import { storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { printType } from '../../ir/type.ts';

/**
 * Text that is equal for works that become the same kernels over other tensors, as the layers of a deep net do:
 * expressions with the axes numbered, of every tensor what a schedule asks for, and what part it is.
 */
export function workKey(work: Work, isInState: (t: Tensor) => boolean): string {
  const storages: Tensor[] = [];
  const tensorKey = (t: Tensor): string => {
    const type = printType(t.type);
    if (t.role === 'scalar' || t.role === 'key') return `${t.role} ${t.path ?? t.name}: ${type}`;
    const storage = storageOf(t);
    if (!storages.includes(storage)) storages.push(storage);
    const kind = `${storage.type.dtype} ${storage.role === 'temporary'} ${isInState(storage)} ${isInState(t)}`;
    return `${storages.indexOf(storage)} ${kind}: ${type}`;
  };
  const tensors = [...work.inputs, ...work.outputs].map(tensorKey);
  return [work.role ?? '', work.inputs.length, ...tensors, ...work.region.stages.map(computeKey)].join('\n');
}
