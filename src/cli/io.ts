import type { JsonDocument } from './json.ts';

/** What a command sees of the terminal. Tests give one that collects text. */
export interface Io {
  /** Results, to standard output; written as they are. */
  out(text: string): void;
  /** Diagnostics, to standard error. */
  err(text: string): void;
  /** What is said on the way and is no result; absent: `out`. */
  note?(text: string): void;
  /** Takes the result and the diagnostics of a command that answers in JSON, where `out` goes nowhere. */
  readonly json?: JsonDocument;
  /** Diagnostics are written to `out` as annotations of GitHub Actions. */
  readonly annotate?: boolean;
  readonly color: boolean;
  /** A terminal whose last line may be drawn again; absent: plain lines only. */
  readonly terminal?: NodeJS.WriteStream;
}

/** The process' own streams. Colours only on a terminal and unless `NO_COLOR` is set (https://no-color.org). */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  // `dnnc dump … | head` closes the pipe early, which is no fault.
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  return {
    out: text => void stdout.write(text),
    err: text => void stderr.write(text),
    color: stderr.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    ...(stdout.isTTY && env.TERM !== 'dumb' && { terminal: stdout }),
  };
}
