import type { Diagnostic } from '../support/diagnostic.ts';
import { githubAnnotation } from '../support/github.ts';
import { renderDiagnostic, summary } from '../support/render.ts';
import type { Span } from '../support/source.ts';
import type { SourceFile } from './files.ts';
import type { Io } from './io.ts';
import { jsonDiagnostic } from './json.ts';

/** Shows diagnostics with paths as the user would open them. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], file: SourceFile, io: Io): void {
  if (io.json) {
    for (const d of diagnostics) io.json.add(jsonDiagnostic(locate(d, file)));
    return;
  }
  if (io.annotate) for (const d of diagnostics) io.out(`${githubAnnotation(locate(d, file))}\n`);
  else for (const d of diagnostics) io.err(`${renderDiagnostic(locate(d, file), { color: io.color })}\n\n`);
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
