/** What is wrong with a printed graph, and where. The only thing that its reader throws. */
export class GraphTextError extends Error {
  /** 1-based, as in every message. */
  readonly line: number;
  readonly column: number;
  constructor(line: number, column: number, message: string) {
    super(`${line}:${column}: ${message}`);
    this.name = 'GraphTextError';
    this.line = line;
    this.column = column;
  }
}

export interface Token {
  readonly kind: 'value' | 'name' | 'number' | 'string' | 'symbol' | 'end';
  readonly text: string;
  readonly start: number;
}

/** Both match at one place only; neither can go back over what it took, so no text is slow. */
const blank = /\s+|\/\/[^\n]*/y;
const pattern =
  /%(?<value>\d+)|(?<name>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")|(?<symbol>->|~\/|[-+*=:,(){}[\]])/y;

/** A text as tokens, read from front to back with one token ahead. */
export class Scanner {
  readonly #text: string;
  #at = 0;
  #next: Token;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#scan();
  }

  get next(): Token {
    return this.#next;
  }

  take(): Token {
    const token = this.#next;
    if (token.kind !== 'end') this.#next = this.#scan();
    return token;
  }

  /** Whether the next token is this symbol or word. */
  sees(text: string): boolean {
    const { kind, text: found } = this.#next;
    return found === text && (kind === 'symbol' || kind === 'name');
  }

  /** Takes the symbol or word if it is next. */
  accept(text: string): boolean {
    const found = this.sees(text);
    if (found) this.take();
    return found;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected \`${text}\`, found ${this.found()}`);
  }

  /** What stands between `open` and `close`, separated by commas. */
  list<T>(open: string, close: string, read: () => T): T[] {
    this.expect(open);
    const items: T[] = [];
    if (this.accept(close)) return items;
    do items.push(read());
    while (this.accept(','));
    this.expect(close);
    return items;
  }

  found(): string {
    return this.#next.kind === 'end' ? 'the end of the text' : `\`${this.#textOf(this.#next)}\``;
  }

  fail(message: string, { start }: Pick<Token, 'start'> = this.#next): never {
    const before = this.#text.slice(0, start).split('\n');
    throw new GraphTextError(before.length, before.at(-1)!.length + 1, message);
  }

  #textOf({ kind, text }: Token): string {
    if (kind === 'value') return `%${text}`;
    return text.length > 40 ? `${text.slice(0, 40)}…` : text;
  }

  #scan(): Token {
    for (blank.lastIndex = this.#at; blank.test(this.#text); ) this.#at = blank.lastIndex;
    const start = this.#at;
    if (start >= this.#text.length) return { kind: 'end', text: '', start };
    pattern.lastIndex = start;
    const match = pattern.exec(this.#text);
    if (!match) this.fail(`${JSON.stringify(this.#text[start])} begins nothing that a graph has`, { start });
    this.#at = pattern.lastIndex;
    const [kind, text] = Object.entries(match.groups!).find(([, part]) => part !== undefined)!;
    return { kind: kind as Token['kind'], text, start };
  }
}
