import { axisId, comparisonKey, indexKey } from '../../ir/affine.ts';
import type { Compute, Index, Predicate } from '../../ir/compute.ts';
import { exprKey } from '../../ir/expr.ts';
import { storageOf, type Tensor, type Work } from '../../ir/program.ts';
import { printType } from '../../ir/type.ts';

/**
 * Text that is equal for works that become the same kernels over other tensors, as the layers of a deep net do:
 * expressions with the axes numbered, and of every tensor what a schedule asks for.
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
  return [work.inputs.length, ...tensors, ...work.region.stages.map(computeKey)].join('\n');
}

function computeKey({ axes, reduce, outs }: Compute): string {
  const all = [...axes, ...(reduce?.axes ?? [])];
  const ids = all.map(axisId);
  const sorted = [...ids].sort((a, b) => a - b);
  const indices = (at: readonly Index[]): string => at.map(indexKey).join();
  const predicate = (p: Predicate): string => p.map(comparisonKey).join('&');
  const text = [
    axes.length,
    // Indices name axes in the order in which these were made.
    ...all.map((a, i) => `${a.name} < ${a.extent.key} @${sorted.indexOf(ids[i]!)}`),
    reduce ? `${reduce.monoid.name} ${reduce.monoid.types} ${predicate(reduce.guard ?? [])}` : '',
    ...(reduce?.lift ?? []).map(exprKey),
    ...outs.map(o => {
      const place = `${o.at ? indices(o.at) : ''}|${o.keep ? o.keep.map(a => all.indexOf(a)) : ''}`;
      return `${place}|${printType(o.type)}|${exprKey(o.value)}`;
    }),
  ].join('\n');
  const numbers = new Map(ids.map((id, i) => [id, i]));
  return text.replace(/\$(\d+)/g, (_, id: string) => `$${numbers.get(Number(id)) ?? id}`);
}
