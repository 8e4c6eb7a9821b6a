import { report } from './errors.ts';
import type { Io } from './io.ts';
import { JsonDocument } from './json.ts';

/** How a command answers. */
export interface OutputOptions {
  readonly format?: 'text' | 'json' | 'github';
  readonly quiet?: boolean;
}

/** Says something on the way, which is no result. */
export const note = (io: Io, text: string): void => (io.note ?? io.out)(text);

/**
 * Runs a command with its output as asked for. `--quiet` leaves out everything that is neither a result nor a
 * diagnostic. With `--format json` standard output gets one document, even where the command fails, and what is said
 * on the way goes to standard error.
 */
export async function withOutput(
  io: Io,
  { format, quiet }: OutputOptions,
  work: (io: Io) => Promise<number>,
): Promise<number> {
  const silent = (): void => {};
  if (format === 'github') return work({ ...withoutTerminal(io), annotate: true });
  if (format !== 'json') return work(quiet ? { ...withoutTerminal(io), note: silent } : io);
  const json = new JsonDocument();
  const inner: Io = { ...withoutTerminal(io), out: silent, note: quiet ? silent : io.err, json };
  let code: number;
  try {
    code = await work(inner);
  } catch (error) {
    code = report(error, inner);
  }
  io.out(json.print(code));
  return code;
}

function withoutTerminal({ terminal: _, ...io }: Io): Io {
  return io;
}
