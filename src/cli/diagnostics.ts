import type { Diagnostic } from '../support/diagnostic.ts';
import { renderDiagnostic, summary } from '../support/render.ts';
import type { Span } from '../support/source.ts';
import type { SourceFile } from './files.ts';
import type { Io } from './io.ts';

/** Shows diagnostics with paths as the user would open them. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], file: SourceFile, io: Io): void {
  for (const d of diagnostics) io.err(`${renderDiagnostic(locate(d, file), { color: io.color })}\n\n`);
  if (diagnostics.length > 0) io.err(`${summary(diagnostics)}\n`);
}

function locate(diagnostic: Diagnostic, file: SourceFile): Diagnostic {
  const move = (span: Span): Span => {
    const path = file.pathOf(span.source);
    return path === undefined ? span : { ...span, source: { ...span.source, name: path } };
  };
  const { span, notes } = diagnostic;
  return {
    ...diagnostic,
    ...(span && { span: move(span) }),
    ...(notes && { notes: notes.map(n => (n.span ? { ...n, span: move(n.span) } : n)) }),
  };
}
