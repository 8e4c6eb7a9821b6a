/** A text that spans point into: a file, the standard library, a command-line definition. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** Half-open range of UTF-16 offsets in a source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** 1-based line and column of an offset. */
export function position(source: Source, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = source.text.indexOf('\n'); at >= 0 && at < offset; at = source.text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** `net.dnn:17:12`, the form in which every message and comment names a place. */
export function place(span: Span): string {
  const { line, column } = position(span.source, span.start);
  return `${span.source.name}:${line}:${column}`;
}

/** The smallest span that covers both. Both must lie in one source. */
export function cover(a: Span, b: Span): Span {
  return { source: a.source, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
