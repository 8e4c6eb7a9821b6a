import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';

/** E0220: an index variable whose range no declared type gives. */
export function unknownRange(span: Span, variable: string): Diagnostic {
  return {
    code: 'E0220',
    severity: 'error',
    message: `nothing gives the range of \`${variable}\``,
    span,
    hint: 'a summed variable must stand alone as an index of some input: its range is that axis',
  };
}

/** E0221: an index that leaves its axis, with numbers, or one that cannot be proved to stay. */
export function indexOutOfRange(span: Span, index: string, extent: string, example?: string): Diagnostic {
  return {
    code: 'E0221',
    severity: 'error',
    message: `cannot prove that the index ${index} stays below ${extent}`,
    span,
    ...(example !== undefined && { label: example }),
    hint: 'the range of each variable comes from the declared types: declare the result smaller, or pad the input',
  };
}

/** E0222: something that index notation does not have. */
export function notInNotation(span: Span, what: string, hint?: string): Diagnostic {
  return {
    code: 'E0222',
    severity: 'error',
    message: `${what} cannot stand in index notation`,
    span,
    ...(hint !== undefined && { hint }),
  };
}
