import type { Diagnostic } from './diagnostic.ts';
import { place, position } from './source.ts';

/**
 * The diagnostic as a workflow command of GitHub Actions, which shows it beside the line that it is about:
 * `::error file=net.dnn,line=3,col=7,endLine=3,endColumn=12,title=E0204::message`. Label, notes and hint follow the
 * message as lines of their own. No line break at its end.
 */
export function githubAnnotation({
  severity,
  code,
  span,
  message,
  label,
  notes = [],
  hint,
}: Diagnostic): string {
  const properties: [string, string | number][] = [];
  if (span) {
    const [from, to] = [position(span.source, span.start), position(span.source, span.end)];
    properties.push(['file', span.source.name], ['line', from.line], ['col', from.column]);
    // Columns of an end on another line have no meaning to GitHub.
    properties.push(['endLine', to.line]);
    if (to.line === from.line) properties.push(['endColumn', to.column]);
  }
  properties.push(['title', code]);
  const lines = [
    message,
    ...(label === undefined ? [] : [label]),
    ...notes.map(note => `${note.message}${note.span ? ` (${place(note.span)})` : ''}`),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ];
  const list = properties.map(([name, value]) => `${name}=${property(String(value))}`).join(',');
  return `::${severity} ${list}::${data(lines.join('\n'))}`;
}

/** https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
