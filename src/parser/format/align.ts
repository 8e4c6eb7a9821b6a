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
  const column = (members: readonly number[]): number =>
    Math.max(...members.map(i => lines[i]!.code.length)) + 1;
  const close = (): void => {
    const at = column(group);
    for (const i of group) texts[i] = `${lines[i]!.code.padEnd(at)}${lines[i]!.comment}`;
    group = [];
  };
  lines.forEach(({ code, comment }, i) => {
    const last = group.at(-1);
    if (last !== undefined && (code === '' || i - last > 2)) close();
    if (comment === undefined) return;
    const wider = [...group, i];
    const at = column(wider);
    if (group.length > 0 && wider.some(j => at + lines[j]!.comment!.length > WIDTH)) close();
    group.push(i);
  });
  if (group.length > 0) close();
  return texts;
}
