import type { Diagnostic } from '../diagnostic.ts';

/** E0430: a table of measured schedules that is not what its format says. */
export function damagedTuning(file: string, what: string, hint?: string): Diagnostic {
  return {
    code: 'E0430',
    severity: 'error',
    message: `${file}: ${what}`,
    hint: hint ?? 'restore it, or leave it out and measure again with `dnnc tune`',
  };
}
