import { dataPages } from './data.ts';
import type { Page } from './page.ts';
import { textPages } from './text.ts';
import { trainingPages } from './training.ts';
import { typePages } from './types.ts';

export type { Page } from './page.ts';

/** Every code that a diagnostic can have, in order, with its page. */
export const pages: ReadonlyMap<string, Page> = new Map(
  [...textPages, ...typePages, ...trainingPages, ...dataPages].map(page => [page.code, page]),
);

/** `E0204`, however it is written; undefined where the text is no code. */
export function asCode(text: string): string | undefined {
  return /^e\d{4}$/i.test(text) ? text.toUpperCase() : undefined;
}
