import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';

/** E0901: part of the language that the compiler reads but does not translate yet. */
export function unsupported(span: Span | undefined, what: string, hint?: string): Diagnostic {
  return {
    code: 'E0901',
    severity: 'error',
    message: `${what} is not supported yet`,
    ...(span && { span }),
    ...(hint !== undefined && { hint }),
  };
}
