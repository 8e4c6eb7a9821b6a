import type { IToken } from 'chevrotain';

/** A comment as it is written, without blanks at its end. */
export interface Comment {
  readonly text: string;
  /** An empty line stands before it. */
  readonly blank: boolean;
}

/** The comments around one token, and whether an empty line stands before the token itself. */
export interface Attached {
  readonly before: readonly Comment[];
  readonly after: Comment | undefined;
  readonly blank: boolean;
}

/**
 * Gives every comment to a token: behind code, to the last token of its line; on a line of its own, to the next
 * token. Keyed by offset; what follows the last token has the key of the end, `end`.
 */
export function attachComments(
  tokens: readonly IToken[],
  comments: readonly IToken[],
  end: number,
): Map<number, Attached> {
  const attached = new Map<number, Attached>();
  let next = 0;
  let line = 0;
  /** The last token has no comment yet and may get one from its line. */
  let open: number | undefined;
  const blankAt = (at: IToken): boolean => line > 0 && (at.startLine ?? 0) > line + 1;
  for (const token of [...tokens, undefined]) {
    const offset = token?.startOffset ?? end;
    const before: Comment[] = [];
    for (; next < comments.length && comments[next]!.startOffset < offset; next++) {
      const comment = comments[next]!;
      const found = { text: comment.image.trimEnd(), blank: blankAt(comment) };
      if (open !== undefined && comment.startLine === line) {
        attached.set(open, { ...attached.get(open)!, after: found });
      } else {
        before.push(found);
      }
      open = undefined;
      line = comment.endLine ?? line;
    }
    attached.set(offset, { before, after: undefined, blank: token !== undefined && blankAt(token) });
    open = offset;
    line = token?.endLine ?? line;
  }
  return attached;
}
