import { alignComments, type OutputLine } from './align.ts';
import { type Doc, INDENT, type Indent, type Place, space, WIDTH } from './doc.ts';

/** The text of a document: no blanks at line ends, one line break at the end of all. */
export function printDoc(doc: Doc): string {
  const printer = new Printer();
  printer.print(doc, { indent: 0, tail: 0 });
  return printer.finish();
}

interface Around {
  readonly indent: number;
  readonly tail: number;
}

class Printer {
  private readonly lines: OutputLine[] = [];
  private code = '';
  private comment: string | undefined;
  /** Nothing is on the line yet but its indentation. */
  private fresh = true;

  finish(): string {
    this.flush();
    const lines = alignComments(this.lines).join('\n').trimEnd();
    return lines === '' ? '' : `${lines}\n`;
  }

  print(doc: Doc, around: Around): void {
    // Before any layout is chosen, since it decides the column.
    if (doc.begins && !this.fresh) this.newline(around.indent + INDENT);
    switch (doc.kind) {
      case 'text':
        if (doc.text !== ' ') this.write(doc.text, around.indent);
        else if (!this.closed && !this.fresh) this.code += ' ';
        return;
      case 'token':
        for (const { text } of doc.before) {
          const column = this.code.length;
          this.code += text;
          this.newline(column);
        }
        this.write(doc.text, around.indent);
        if (doc.after !== undefined) this.comment = doc.after.text;
        return;
      case 'line':
        this.newline(around.indent);
        if (doc.blank) this.newline(around.indent, true);
        return;
      case 'concat':
        this.concat(doc.parts, around);
        return;
      case 'fill':
        this.fill(doc, around);
        return;
      case 'indent':
        this.print(doc.doc, { ...around, indent: this.indentTo(doc.to, around.indent) });
        return;
      case 'choice': {
        const place: Place = { column: this.column(around.indent), ...around };
        const fits = doc.width <= WIDTH - place.column - place.tail;
        this.print(fits ? doc.flat : doc.layout(place), around);
        return;
      }
    }
  }

  /** Each part is followed by what the later ones put on its line. */
  private concat(parts: readonly Doc[], { indent, tail }: Around): void {
    const tails: number[] = [];
    let following = tail;
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = parts[i]!;
      tails[i] = part.ends ? 0 : following;
      following = part.begins ? 0 : part.lead + (part.breaks || part.ends ? 0 : following);
    }
    parts.forEach((part, i) => {
      this.print(part, { indent, tail: tails[i]! });
    });
  }

  private fill({ items, hard }: Extract<Doc, { kind: 'fill' }>, { indent, tail }: Around): void {
    let fitted = true;
    items.forEach((item, i) => {
      const after = i === items.length - 1 ? tail : 0;
      const column = this.column(indent);
      if (i > 0) {
        const fits = fitted && column + 1 + item.width + after <= WIDTH;
        if (hard[i] || !fits) this.newline(indent);
        else this.print(space, { indent, tail: 0 });
      }
      fitted = this.column(indent) + item.width + after <= WIDTH;
      this.print(item, { indent, tail: after });
    });
  }

  private indentTo(to: Indent, indent: number): number {
    if (to === 'here') return this.column(indent);
    return 'by' in to ? indent + to.by : to.column;
  }

  /** Where the next character goes. */
  private column(indent: number): number {
    return this.closed ? indent + INDENT : this.code.length;
  }

  /** A comment has ended the line. */
  private get closed(): boolean {
    return this.comment !== undefined;
  }

  private write(text: string, indent: number): void {
    // What follows a comment without a line of its own continues a statement.
    if (this.closed) this.newline(indent + INDENT);
    if (text === '') return;
    this.code += text;
    this.fresh = false;
  }

  private newline(indent: number, blank = false): void {
    if (!this.fresh || this.code.trim() !== '' || blank) this.flush();
    this.code = ' '.repeat(indent);
    this.fresh = true;
  }

  private flush(): void {
    this.lines.push({ code: this.code.trimEnd(), comment: this.comment });
    this.code = '';
    this.comment = undefined;
  }
}
