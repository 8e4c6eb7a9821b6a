import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import { place } from '../source.ts';
import { closest } from '../suggest.ts';

const didYouMean = (name: string, candidates: Iterable<string>): { hint?: string } => {
  const meant = closest(name, candidates);
  return meant === undefined ? {} : { hint: `did you mean \`${meant}\`?` };
};

/** E0104: two declarations, parameters or targets of one name. */
export function duplicateName(span: Span, what: string, name: string, first?: Span): Diagnostic {
  return {
    code: 'E0104',
    severity: 'error',
    message: `${what} \`${name}\` is declared twice`,
    span,
    ...(first && { notes: [{ message: `first declared at ${place(first)}`, span: first }] }),
  };
}

/** E0105: the name of a type that does not exist. */
export function unknownType(span: Span, name: string, candidates: Iterable<string>): Diagnostic {
  return {
    code: 'E0105',
    severity: 'error',
    message: `unknown type \`${name}\``,
    span,
    ...didYouMean(name, candidates),
  };
}

/** E0106: an import whose file or name cannot be found. */
export function importFails(
  span: Span,
  message: string,
  name = '',
  candidates: Iterable<string> = [],
): Diagnostic {
  return { code: 'E0106', severity: 'error', message, span, ...didYouMean(name, candidates) };
}

/** E0107: a name that nothing in sight has. `what` says what was looked for: `name`, `layer or function`. */
export function unknownName(
  span: Span,
  what: string,
  name: string,
  candidates: Iterable<string>,
): Diagnostic {
  return {
    code: 'E0107',
    severity: 'error',
    message: `unknown ${what} \`${name}\``,
    span,
    ...didYouMean(name, candidates),
  };
}

/** E0108: a named argument that the callee does not have. */
export function unknownArgument(
  span: Span,
  callee: string,
  name: string,
  candidates: readonly string[],
): Diagnostic {
  const guess = didYouMean(name, candidates);
  const all = candidates.length === 0 ? 'it takes none' : `its arguments are ${candidates.join(', ')}`;
  return {
    code: 'E0108',
    severity: 'error',
    message: `${callee} has no argument \`${name}\``,
    span,
    hint: guess.hint ?? all,
  };
}

/** E0109: something that is defined by itself, or calls that never end. */
export function recursion(span: Span, message: string): Diagnostic {
  return { code: 'E0109', severity: 'error', message, span };
}

/** E0110: a name where it must not stand: `epoch` outside a training program, a reserved input name. */
export function misplaced(span: Span, message: string, hint?: string): Diagnostic {
  return { code: 'E0110', severity: 'error', message, span, ...(hint !== undefined && { hint }) };
}

/** E0111: a `-D` that sets no const of the file, or to a value that it cannot have. */
export function wrongDefinition(message: string, span?: Span, hint?: string): Diagnostic {
  return {
    code: 'E0111',
    severity: 'error',
    message,
    ...(span && { span }),
    ...(hint !== undefined && { hint }),
  };
}

/** E0113: a file that has neither a net nor a training program. */
export function nothingToCompile(file: string): Diagnostic {
  return {
    code: 'E0113',
    severity: 'error',
    message: `${file} has no net and no training program to compile`,
    hint: 'blocks, functions and consts are compiled with the nets that use them',
  };
}
