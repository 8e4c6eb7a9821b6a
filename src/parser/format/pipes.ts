import {
  choice,
  concat,
  type Doc,
  INDENT,
  indent,
  line,
  type Place,
  sequenceOf,
  space,
  text,
  WIDTH,
} from './doc.ts';

/** A stage with its arrow. */
export interface PipeStage {
  readonly arrow: Doc;
  readonly value: Doc;
  /** The source begins a line with it. */
  readonly first: boolean;
  /** What it applies; rows that apply the same get their arrows in columns. */
  readonly name: string | undefined;
}

/** A head further out than this gets its stages below it, not behind it. */
const FAR = 40;

/**
 * `x -> a -> b`. A pipe that the source has on one line stays there; where there is no room, every stage gets a
 * line. Lines that the source begins with a stage stay, further breaks only where there is no room. Stages stand
 * below the first arrow, or two columns in where that begins a line itself.
 */
export function pipe(head: Doc, stages: readonly PipeStage[]): Doc {
  const docs = stages.map(({ arrow, value }) => concat(arrow, space, indent('here', value)));
  const flat = concat(head, sequenceOf(docs.flatMap(doc => [space, doc])));
  const fresh = stages.map((stage, i) => stage.first || docs[i]!.begins || (docs[i - 1] ?? head).ends);
  const forced = fresh.includes(true);
  const every = !forced && Number.isFinite(flat.width);

  const layout = (place: Place): Doc => {
    const starts = every ? fresh.map(() => true) : [...fresh];
    const arrow = Number.isFinite(head.width) ? place.column + head.width + 1 : undefined;
    // Room that the head takes from a stage which would fit below it.
    const wide = docs.some(({ width }) => {
      return (arrow ?? 0) + width > WIDTH && place.indent + INDENT + width <= WIDTH;
    });
    if (arrow === undefined || wide || arrow - place.indent > FAR) starts[0] = true;
    const base = starts[0] || arrow === undefined ? place.indent + INDENT : arrow;
    const rows = rowsOf(docs, starts, base, place.tail);
    const aligned = align(stages, docs, rows, starts[0] === true, base, place.tail);
    const parts = aligned.flatMap((row, i) => [i === 0 && !starts[0] ? space : line(), row]);
    return concat(head, indent({ column: base }, sequenceOf(parts)));
  };
  return choice(flat, layout, { lead: head.lead, forced });
}

/** The stages of each row: [first, behind the last]. A row ends where the next stage starts one or has no room. */
function rowsOf(docs: readonly Doc[], starts: readonly boolean[], base: number, tail: number): number[][] {
  const rows: number[][] = [];
  let column = base;
  docs.forEach((doc, i) => {
    const after = i === docs.length - 1 ? tail : 0;
    // Of what takes several lines only the first has to have room here, but nothing stands behind it.
    const needed = Number.isFinite(doc.width) ? doc.width + after : doc.lead;
    if (i > 0 && !starts[i] && column + 1 + needed <= WIDTH) {
      rows.at(-1)!.push(i);
      column += 1 + doc.width;
    } else {
      rows.push([i]);
      column = base + doc.width;
    }
  });
  return rows;
}

/** Rows as documents; neighbours that apply the same in the same order get columns. */
function align(
  stages: readonly PipeStage[],
  docs: readonly Doc[],
  rows: readonly number[][],
  whole: boolean,
  base: number,
  tail: number,
): Doc[] {
  const nameOf = (row: readonly number[]): string | undefined => {
    const names = row.map(i => stages[i]!.name);
    const plain = row.every(i => Number.isFinite(docs[i]!.width)) && !names.includes(undefined);
    return plain && row.length > 1 ? names.join(' -> ') : undefined;
  };
  const padding = new Map<number, number>();
  for (let from = whole ? 0 : 1; from < rows.length; ) {
    const name = nameOf(rows[from]!);
    let to = from + 1;
    while (name !== undefined && to < rows.length && nameOf(rows[to]!) === name) to++;
    const run = rows.slice(from, to);
    const columns = rows[from]!.map((_, j) =>
      run.reduce((most, row) => Math.max(most, docs[row[j]!]!.width), 0),
    );
    const total = base + columns.reduce((sum, w) => sum + w + 1, -1) + tail;
    if (run.length > 1 && total <= WIDTH) {
      for (const row of run) {
        row.slice(0, -1).forEach((i, j) => {
          padding.set(i, columns[j]! - docs[i]!.width);
        });
      }
    }
    from = to;
  }
  return rows.map(row =>
    sequenceOf(
      row.flatMap((i, j) => {
        const pad = ' '.repeat(padding.get(i) ?? 0);
        return [...(j > 0 ? [space] : []), docs[i]!, ...(pad === '' ? [] : [text(pad)])];
      }),
    ),
  );
}
