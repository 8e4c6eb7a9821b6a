import { position, type Span } from './source.ts';
import { printable } from './terminal.ts';

/** One line of a source with a marked part, ready to be printed. */
export interface Frame {
  /** `net.dnn:17:12` */
  readonly place: string;
  readonly line: number;
  readonly text: string;
  /** Columns of `text` before the mark, and how many the mark takes. */
  readonly before: number;
  readonly width: number;
  readonly label: string;
}

/** What of a line is shown; more than this is cut around the mark. */
const MAX_WIDTH = 100;
const TAB = 4;

/** The line on which a span starts. A span that goes on is marked to the end of that line. */
export function frameOf(span: Span, label = ''): Frame {
  const { source } = span;
  const start = Math.min(span.start, source.text.length);
  const { line, column } = position(source, start);
  const lineStart = start - column + 1;
  const lineBreak = source.text.indexOf('\n', lineStart);
  const end = lineBreak < 0 ? source.text.length : lineBreak;
  const raw = source.text.slice(lineStart, end).replace(/\r$/, '');
  const from = Math.min(column - 1, raw.length);
  const to = Math.min(Math.max(from, span.end - lineStart), raw.length);
  const parts = crop(expand(raw.slice(0, from), 0), raw.slice(from, to), raw.slice(to));
  return {
    place: `${printable(source.name)}:${line}:${column}`,
    line,
    label: printable(label),
    ...parts,
  };
}

/** Tabs as blanks up to the next stop; other control characters as a mark of replacement. */
function expand(text: string, column: number): string {
  let out = '';
  for (const character of text) {
    if (character === '\t') out += ' '.repeat(TAB - ((column + columns(out)) % TAB));
    else out += printable(character);
  }
  return out;
}

function columns(text: string): number {
  return Array.from(text).length;
}

function crop(left: string, marked: string, rest: string): Pick<Frame, 'text' | 'before' | 'width'> {
  const middle = expand(marked, columns(left));
  const right = expand(rest, columns(left) + columns(middle));
  const [head, body, tail] = [Array.from(left), Array.from(middle), Array.from(right)];
  if (head.length + body.length + tail.length <= MAX_WIDTH) {
    return { text: (left + middle + right).trimEnd(), before: head.length, width: body.length };
  }
  const cutBody = body.length > MAX_WIDTH / 2 ? [...body.slice(0, MAX_WIDTH / 2 - 1), '…'] : body;
  const room = MAX_WIDTH - cutBody.length;
  const wanted = Math.max(Math.floor(room / 2), room - tail.length);
  const cutHead = head.length > wanted ? ['…', ...head.slice(head.length - wanted + 1)] : head;
  const space = room - cutHead.length;
  // Behind a mark that is cut itself, the rest of the line would read as its continuation.
  const cutTail = tail.length > space ? [...tail.slice(0, space - 1), '…'] : tail;
  return {
    text: [...cutHead, ...cutBody, ...(cutBody === body ? cutTail : [])].join('').trimEnd(),
    before: cutHead.length,
    width: cutBody.length,
  };
}

/** The frame as lines. The first line of the label follows the mark, the others stand under it. */
export function renderFrame(
  frame: Frame,
  gutter: number,
  mark: string,
  paintMark: (text: string) => string,
  paintGutter: (text: string) => string,
): string[] {
  const margin = ' '.repeat(gutter);
  const indent = ' '.repeat(frame.before);
  const [first = '', ...others] = frame.label.split('\n');
  const marks = paintMark(`${mark.repeat(Math.max(1, frame.width))}${first === '' ? '' : ` ${first}`}`);
  return [
    `${margin}${paintGutter('┌─')} ${frame.place}`,
    `${paintGutter(`${String(frame.line).padStart(gutter)}│`)} ${frame.text}`.trimEnd(),
    `${margin}${paintGutter('│')} ${indent}${marks}`,
    ...others.map(line => `${margin}${paintGutter('│')} ${indent}${paintMark(line)}`),
  ];
}
