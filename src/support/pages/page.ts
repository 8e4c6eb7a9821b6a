/** What `dnnc explain E0204` says about a code, and `docs/errors.md`. */
export interface Page {
  readonly code: string;
  /** Half a line, without a full stop. */
  readonly title: string;
  /** When it is raised. Paragraphs in Markdown, a paragraph a line. */
  readonly cause: string;
  /** The smallest thing that raises it: a `.dnn` file, a command line, or what else `language` says. */
  readonly example: string;
  readonly language: 'dnn' | 'console' | 'text';
  /** What to do. */
  readonly cure: string;
  /** The example after the cure. */
  readonly fixed?: string;
}

export function page(code: string, title: string, rest: Omit<Page, 'code' | 'title'>): Page {
  return { code, title, ...rest };
}
