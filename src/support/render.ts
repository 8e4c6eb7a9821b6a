import type { Diagnostic } from './diagnostic.ts';
import { type Frame, frameOf, renderFrame } from './frame.ts';
import { painter, printable } from './terminal.ts';

export interface RenderOptions {
  /** Colours for a terminal. */
  readonly color?: boolean;
}

/** The diagnostic as a person reads it: message, the text it is about, notes and a hint. No line break at its end. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const paint = painter(options.color ?? false);
  const tone = diagnostic.severity === 'error' ? 'red' : 'yellow';
  const main = diagnostic.span && frameOf(diagnostic.span, diagnostic.label);
  const notes = (diagnostic.notes ?? []).map(({ message, span }) => ({
    message: printable(message),
    frame: span && frameOf(span, message),
  }));
  const frames = [main, ...notes.map(note => note.frame)].filter(
    (frame): frame is Frame => frame !== undefined,
  );
  const gutter = Math.max(1, ...frames.map(frame => String(frame.line).length));
  const margin = ' '.repeat(gutter);

  const head = paint(tone, `${diagnostic.severity}[${diagnostic.code}]`);
  const lines = [`${head}: ${paint('bold', printable(diagnostic.message))}`];
  if (main !== undefined) {
    lines.push(
      ...renderFrame(
        main,
        gutter,
        '^',
        text => paint(tone, text),
        text => paint('blue', text),
      ),
    );
  }
  for (const { message, frame } of notes) {
    if (frame === undefined) lines.push(`${margin}${paint('blue', '=')} ${message}`);
    else
      lines.push(
        ...renderFrame(
          frame,
          gutter,
          '-',
          text => paint('blue', text),
          text => paint('blue', text),
        ),
      );
  }
  if (diagnostic.hint !== undefined) {
    lines.push(`${margin}${paint('cyan', 'hint:')} ${printable(diagnostic.hint)}`);
  }
  return lines.join('\n');
}

/** `2 errors, 1 warning`. */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic['severity']): string[] => {
    const n = diagnostics.filter(d => d.severity === severity).length;
    return n === 0 ? [] : [`${n} ${severity}${n === 1 ? '' : 's'}`];
  };
  return [...count('error'), ...count('warning')].join(', ') || 'no errors';
}
