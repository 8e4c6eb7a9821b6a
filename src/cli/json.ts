import type { Diagnostic } from '../support/diagnostic.ts';
import { position, type Span } from '../support/source.ts';

/** A place in a source; line and column from 1, columns in UTF-16 units. */
interface JsonPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** A diagnostic for programs. `code` is `E…` of a diagnostic, or `usage`, `device`, `internal`. */
export interface JsonDiagnostic extends JsonPlace {
  readonly severity: Diagnostic['severity'];
  readonly code: string;
  readonly message: string;
  readonly label?: string;
  readonly notes: readonly (JsonPlace & { readonly message: string })[];
  readonly hint?: string;
}

/** The one document that a command with `--format json` writes to standard output, whatever becomes of it. */
export class JsonDocument {
  readonly #result: Record<string, unknown> = {};
  readonly #diagnostics: JsonDiagnostic[] = [];

  /** Adds fields of the command's result. What is not finite becomes `null`. */
  set(fields: Readonly<Record<string, unknown>>): void {
    Object.assign(this.#result, fields);
  }

  add(diagnostic: JsonDiagnostic): void {
    this.#diagnostics.push(diagnostic);
  }

  print(exitCode: number): string {
    const document = { ok: exitCode === 0, exitCode, ...this.#result, diagnostics: this.#diagnostics };
    return `${JSON.stringify(document, undefined, 2)}\n`;
  }
}

export function jsonDiagnostic({
  span,
  notes = [],
  severity,
  code,
  message,
  label,
  hint,
}: Diagnostic): JsonDiagnostic {
  return {
    severity,
    code,
    message,
    ...placeOf(span),
    ...(label !== undefined && { label }),
    notes: notes.map(note => ({ message: note.message, ...placeOf(note.span) })),
    ...(hint !== undefined && { hint }),
  };
}

function placeOf(span: Span | undefined): JsonPlace {
  if (!span) return {};
  const [from, to] = [position(span.source, span.start), position(span.source, span.end)];
  return {
    file: span.source.name,
    line: from.line,
    column: from.column,
    endLine: to.line,
    endColumn: to.column,
  };
}
