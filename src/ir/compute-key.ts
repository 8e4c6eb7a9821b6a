import { axisId, comparisonKey, indexKey } from './affine.ts';
import type { Compute, Index, Predicate } from './compute.ts';
import { exprKey } from './expr.ts';
import { printType } from './type.ts';

const keys = new WeakMap<Compute, string>();

/** Text that is equal for Computes that are the same but for which axes they run over: axes are numbered. */
export function computeKey(compute: Compute): string {
  let key = keys.get(compute);
  if (key === undefined) keys.set(compute, (key = makeKey(compute)));
  return key;
}

function makeKey({ inputs, axes, reduce, outs }: Compute): string {
  const all = [...axes, ...(reduce?.axes ?? [])];
  const ids = all.map(axisId);
  const sorted = [...ids].sort((a, b) => a - b);
  const indices = (at: readonly Index[]): string => at.map(indexKey).join();
  const predicate = (p: Predicate): string => p.map(comparisonKey).join('&');
  const text = [
    inputs.map(printType).join(),
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
