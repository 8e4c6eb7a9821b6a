import type { Span } from './source.ts';

/** One error or warning. Codes: E01xx syntax and names, E02xx types and shapes, E03xx gradients, E04xx data and weights, E05xx targets and devices, E09xx not supported yet. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** One line without a full stop. */
  readonly message: string;
  readonly span?: Span;
  /** Short text under the marked span. */
  readonly label?: string;
  readonly notes?: readonly { readonly message: string; readonly span?: Span }[];
  readonly hint?: string;
}

/** Carries diagnostics out of a deep call; caught at the edge of each phase, never shown with a stack. */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  constructor(...diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(d => `${d.code}: ${d.message}`).join('\n'));
    this.name = 'DiagnosticError';
    this.diagnostics = diagnostics;
  }
}
