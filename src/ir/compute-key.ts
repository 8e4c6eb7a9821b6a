import { Onto } from '../support/onto.ts';
import { indexKey, knownAxisId } from './affine.ts';
import type { Compute, Index, Predicate } from './compute.ts';
import { exprKey } from './expr.ts';
import { comparisonKey } from './predicate.ts';
import { printType } from './type.ts';

class Notes extends Onto {
  #key: string | undefined;

  static key(compute: Compute): string {
    const notes = #key in compute ? compute : (new Notes(compute) as Notes & Compute);
    return (notes.#key ??= makeKey(compute));
  }
}

/** Text that is equal for Computes that are the same but for which axes they run over: axes are numbered. */
export function computeKey(compute: Compute): string {
  return Notes.key(compute);
}

function makeKey({ inputs, axes, reduce, outs }: Compute): string {
  const all = [...axes, ...(reduce?.axes ?? [])];
  const indices = (at: readonly Index[]): string => at.map(indexKey).join();
  const predicate = (p: Predicate): string => p.map(comparisonKey).join('&');
  const expressions = [
    reduce ? `${reduce.monoid.name} ${reduce.monoid.types} ${predicate(reduce.guard ?? [])}` : '',
    ...(reduce?.lift ?? []).map(exprKey),
    ...outs.map(o => {
      const value = exprKey(o.value);
      const place = `${o.at ? indices(o.at) : ''}|${o.keep ? o.keep.map(a => all.indexOf(a)) : ''}${o.partial ? 'part' : ''}`;
      return `${place}|${printType(o.type)}|${value}`;
    }),
  ].join('\n');
  // Axes that no expression names have no number yet.
  const ids = all.map(a => knownAxisId(a) ?? Number.POSITIVE_INFINITY);
  const sorted = [...ids].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const numbers = new Map(ids.map((id, i) => [id, i]));
  return [
    inputs.map(printType).join(),
    axes.length,
    // Indices name axes in the order of their numbers.
    ...all.map((a, i) => `${a.name} < ${a.extent.key} @${sorted.indexOf(ids[i]!)}`),
    expressions.replace(/\$(\d+)/g, (_, id: string) => `$${numbers.get(Number(id)) ?? id}`),
  ].join('\n');
}
