import { WIDTH } from './doc.ts';

/** A line with the comment behind its code. */
export interface OutputLine {
  readonly code: string;
  readonly comment: string | undefined;
}

/**
 * Lines as text, comments of neighbouring lines one below the other. Neighbours have at most one line without a
 * comment between them, and no empty one. A comment that would leave the width there starts a column of its own.
 */
export function alignComments(lines: readonly OutputLine[]): string[] {
  const texts = lines.map(line => line.code);
  let group: number[] = [];
  // Of the group: its longest code and its longest comment.
  let code = 0;
  let comment = 0;
  const close = (): void => {
    for (const i of group) texts[i] = `${lines[i]!.code.padEnd(code + 1)}${lines[i]!.comment}`;
    group = [];
    code = 0;
    comment = 0;
  };
  lines.forEach((line, i) => {
    const last = group.at(-1);
    if (last !== undefined && (line.code === '' || i - last > 2)) close();
    if (line.comment === undefined) return;
    const column = Math.max(code, line.code.length) + 1;
    if (column + Math.max(comment, line.comment.length) > WIDTH) close();
    group.push(i);
    code = Math.max(code, line.code.length);
    comment = Math.max(comment, line.comment.length);
  });
  close();
  return texts;
}
