import type { Comment } from './comments.ts';

/** The longest line that is written, where anything can be broken. */
export const WIDTH = 110;
export const INDENT = 2;

/**
 * A piece of text before its lines are decided. Sizes are known when a piece is made, so that the printer never
 * tries out a layout: it compares `width` with the room that is left.
 */
export type Doc = Size &
  (
    | { readonly kind: 'text'; readonly text: string }
    /** A token; `before` stand on lines of their own above it, `after` ends its line. */
    | {
        readonly kind: 'token';
        readonly text: string;
        readonly before: readonly Comment[];
        readonly after: Comment | undefined;
      }
    | { readonly kind: 'concat'; readonly parts: readonly Doc[] }
    /** A line break, after an empty line where `blank`. */
    | { readonly kind: 'line'; readonly blank: boolean }
    /** Items with blanks between them, as many on a line as there is room for. */
    | { readonly kind: 'fill'; readonly items: readonly Doc[]; readonly hard: readonly boolean[] }
    | { readonly kind: 'indent'; readonly to: Indent; readonly doc: Doc }
    /** `flat` where it fits, otherwise what `layout` makes of the place. */
    | { readonly kind: 'choice'; readonly flat: Doc; readonly layout: (place: Place) => Doc }
  );

export interface Size {
  /** Columns on one line; infinite where it cannot stand on one line. */
  readonly width: number;
  /** Columns before the first place where its line may end. */
  readonly lead: number;
  /** Whether a line may end inside. */
  readonly breaks: boolean;
  /** Must be first on its line. */
  readonly begins: boolean;
  /** Must be last on its line. */
  readonly ends: boolean;
}

/** Where lines inside begin: at the present column, some columns further in, or at a column. */
export type Indent = 'here' | { readonly by: number } | { readonly column: number };

export interface Place {
  readonly column: number;
  readonly indent: number;
  /** Columns that follow before the line may end. */
  readonly tail: number;
}

export function text(value: string): Doc {
  const width = value.length;
  return { kind: 'text', text: value, width, lead: width, breaks: false, begins: false, ends: false };
}

export const space = text(' ');
export const nothing = text('');

export function token(value: string, before: readonly Comment[] = [], after?: Comment): Doc {
  const width = value.length;
  return {
    kind: 'token',
    text: value,
    before,
    after,
    width,
    lead: width,
    breaks: false,
    begins: before.length > 0,
    ends: after !== undefined,
  };
}

export function concat(...parts: readonly Doc[]): Doc {
  return sequenceOf(parts);
}

/** `concat` of a list, which may have more entries than a call may have arguments. */
export function sequenceOf(parts: readonly Doc[]): Doc {
  let width = 0;
  let lead = 0;
  let breaks = false;
  parts.forEach((part, i) => {
    width += part.width;
    if (i > 0 && part.begins) {
      width = Number.POSITIVE_INFINITY;
      breaks = true;
    }
    if (!breaks) lead += part.lead;
    if (part.breaks) breaks = true;
    if (i < parts.length - 1 && part.ends) {
      width = Number.POSITIVE_INFINITY;
      breaks = true;
    }
  });
  const begins = parts[0]?.begins ?? false;
  const ends = parts.at(-1)?.ends ?? false;
  return { kind: 'concat', parts, width, lead, breaks, begins, ends };
}

export function line(blank = false): Doc {
  const width = Number.POSITIVE_INFINITY;
  return { kind: 'line', blank, width, lead: 0, breaks: true, begins: false, ends: false };
}

/** `hard[i]`: item i begins a line in any case. */
export function fill(items: readonly Doc[], hard: readonly boolean[] = []): Doc {
  const between = items.flatMap((item, i) => (i === 0 ? [item] : [space, item]));
  const { width, lead, begins, ends } = sequenceOf(between);
  return {
    kind: 'fill',
    items,
    hard,
    width: hard.some((h, i) => h && i > 0) ? Number.POSITIVE_INFINITY : width,
    lead: items.length > 1 ? (items[0]?.lead ?? 0) : lead,
    breaks: items.length > 1 || items.some(item => item.breaks),
    begins,
    ends,
  };
}

export function indent(to: Indent, doc: Doc): Doc {
  const { width, lead, breaks, begins, ends } = doc;
  return { kind: 'indent', to, doc, width, lead, breaks, begins, ends };
}

/**
 * `flat` on one line where there is room, otherwise `layout`. `lead` is what stands before the first break of the
 * layout; `forced`: never on one line.
 */
export function choice(
  flat: Doc,
  layout: (place: Place) => Doc,
  { lead = flat.lead, forced = false }: { readonly lead?: number; readonly forced?: boolean } = {},
): Doc {
  const width = forced ? Number.POSITIVE_INFINITY : flat.width;
  return { kind: 'choice', flat, layout, width, lead, breaks: true, begins: flat.begins, ends: flat.ends };
}
