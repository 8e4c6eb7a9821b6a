export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Rows under their titles, two blanks between columns, `indent` blanks before each line. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  indent = 2,
): string {
  const all = [columns.map(c => c.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map(row => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return all.map(row => `${' '.repeat(indent)}${line(row)}\n`).join('');
}

/** `1234567` as `1,234,567` */
export const formatCount = (n: number): string => n.toLocaleString('en-US');

/** `4.2 MiB` */
export function formatBytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(1)} MiB`;
}
