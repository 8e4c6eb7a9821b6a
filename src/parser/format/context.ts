import type { CstNode, IToken } from 'chevrotain';
import { hole } from '../cst.ts';
import { type Attached, attachComments } from './comments.ts';
import { concat, type Doc, nothing, token } from './doc.ts';

/** What every function that lays out a part of the tree needs besides its node. */
export class Layout {
  private readonly attached: Map<number, Attached>;
  private readonly first = new Set<number>();

  constructor(tokens: readonly IToken[], comments: readonly IToken[], end: number) {
    this.attached = attachComments(tokens, comments, end);
    tokens.forEach((each, i) => {
      if (i > 0 && (tokens[i - 1]!.endLine ?? 0) < (each.startLine ?? 0)) this.first.add(each.startOffset);
    });
  }

  /** The token with the comments around it. */
  token(at: IToken | undefined): Doc {
    if (at === undefined) return nothing;
    const found = this.attached.get(at.startOffset);
    return token(at.image, found?.before, found?.after);
  }

  /** Whether what starts at an offset is the first on its line in the source. */
  isFirst(offset: number): boolean {
    return this.first.has(offset);
  }

  /**
   * Takes away the comments before what starts at an offset, for the caller to lay out. `blank`: an empty line
   * stands before it.
   */
  takeBefore(offset: number): Pick<Attached, 'before' | 'blank'> {
    const found = this.attached.get(offset);
    if (found === undefined) return { before: [], blank: false };
    this.attached.set(offset, { ...found, before: [] });
    return found;
  }

  /** Items with the commas between them, each at the end of its item. */
  separated(items: readonly Doc[], commas: readonly IToken[]): Doc[] {
    return items.map((item, i) => (commas[i] === undefined ? item : concat(item, this.token(commas[i]))));
  }
}

export function startOf(at: CstNode): number {
  return at.location?.startOffset ?? hole(`${at.name} without a place`);
}
