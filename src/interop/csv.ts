import { damagedText, fail } from '../support/errors/data.ts';

/** A column: numbers, or words that became the numbers of their classes in alphabetical order. */
export interface CsvColumn {
  readonly name: string;
  readonly values: Float64Array;
  readonly classes?: readonly string[];
}

/** A table with a line of titles. Fields may stand in double quotes. Throws E0421 with line and column. */
export function readCsv(text: string, file: string): CsvColumn[] {
  const [titles, ...rows] = [...parseRows(text, file)];
  if (!titles || rows.length === 0)
    return fail(damagedText(file, 1, 1, 'there is no line of titles with rows below it'));
  for (const { fields, line } of rows)
    if (fields.length !== titles.fields.length)
      fail(
        damagedText(
          file,
          line,
          fields.length,
          `there are ${fields.length} fields below ${titles.fields.length} titles`,
          'quote a field that has a comma in it',
        ),
      );
  return titles.fields.map((name, column) => {
    const texts = rows.map(r => r.fields[column]!);
    const numbers = texts.map(t => (t === '' ? Number.NaN : Number(t)));
    const bad = numbers.findIndex(Number.isNaN);
    if (bad < 0) return { name, values: Float64Array.from(numbers) };
    const empty = texts.indexOf('');
    if (empty >= 0)
      fail(damagedText(file, rows[empty]!.line, column + 1, `${name} is empty`, 'fill it, or drop the row'));
    // Words are classes; a single word among numbers is most likely a mistake.
    if (numbers.some(v => !Number.isNaN(v)))
      fail(
        damagedText(
          file,
          rows[bad]!.line,
          column + 1,
          `${name} is ${JSON.stringify(texts[bad])}, among numbers`,
          'a column is all numbers, or all names of classes',
        ),
      );
    const classes = [...new Set(texts)].sort();
    return { name, values: Float64Array.from(texts, t => classes.indexOf(t)), classes };
  });
}

function* parseRows(text: string, file: string): Generator<{ fields: string[]; line: number }> {
  let fields: string[] = [];
  let line = 1;
  let first = 1;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    let field = '';
    if (text[at] === '"') {
      const began = line;
      for (at++; ; at++) {
        if (at >= text.length) fail(damagedText(file, began, fields.length + 1, 'a quote is not closed'));
        if (text[at] === '"' && text[at + 1] === '"') at++;
        else if (text[at] === '"') break;
        if (text[at] === '\n') line++;
        field += text[at];
      }
      at++;
    } else while (at < text.length && !',\r\n'.includes(text[at]!)) field += text[at++];
    fields.push(field.trim());
    if (text[at] === ',') {
      at++;
      if (at < text.length) continue;
      fields.push('');
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') {
      at++;
      line++;
    } else if (at < text.length)
      fail(damagedText(file, line, fields.length, 'there is something behind a quoted field'));
    if (fields.length > 1 || fields[0] !== '') yield { fields, line: first };
    fields = [];
    first = line;
  }
}
