import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import { place } from '../source.ts';

/** Where a gradient ends: an op's name and its place in the source. */
export interface Cut {
  readonly what: string;
  readonly span?: Span | undefined;
}

/**
 * E0301: a gradient that is zero because nothing leads from what is differentiated to `name`. `cuts` are the ops on
 * the way that pass no gradient on; with none, there is no way at all.
 */
export function unreached(
  name: string,
  span: Span | undefined,
  cuts: readonly Cut[],
  severity: Diagnostic['severity'] = 'error',
): Diagnostic {
  const notes = cuts.map(cut => ({
    message: `cut by ${cut.what}${cut.span ? ` at ${place(cut.span)}` : ''}`,
    ...(cut.span && { span: cut.span }),
  }));
  return {
    code: 'E0301',
    severity,
    message: `nothing in \`minimize\` reaches ${name}`,
    ...(span && { span }),
    label: cuts.length === 0 ? 'is not used by what is minimised' : 'gets no gradient',
    ...(notes.length > 0 && { notes }),
    hint:
      cuts.length === 0
        ? 'use it in what is minimised, or leave it out of `over`'
        : `replace ${[...new Set(cuts.map(cut => cut.what))].join(', ')} by something smooth, or leave this out of \`over\``,
  };
}
