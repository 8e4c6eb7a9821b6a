import { range } from '../node.ts';
import { list } from '../writer.ts';

/** x with positions, given as a tensor's text, along one axis. */
export const pick = (x: string, axis: number, positions: string): string =>
  `${x}[${[...range(0, axis).map(() => ':'), positions].join(', ')}]`;

export function slice(x: string, starts: readonly number[], ends: readonly number[]): string {
  return `primitive.slice(${x}, starts = ${list(starts)}, ends = ${list(ends)})`;
}

export const reshaped = (x: string, shape: readonly number[]): string => `reshape(${x}, ${list(shape)})`;
