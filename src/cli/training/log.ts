import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { writeError } from '../files.ts';
import type { Measured } from './loop.ts';

/**
 * `metrics.jsonl`: a JSON object a line with `step`, `epoch` (both from 0) and the metrics by name; lines with
 * `"val": true` hold means over the validation data after that step. What is not finite is `null`.
 */
export class MetricsLog {
  readonly #path: string;
  readonly #file: number;
  /** Of the lines that stay, in bytes. */
  length = 0;

  /**
   * Opens the file. What comes after the first `keep` bytes, lines of steps that are done again or half a line, is cut
   * off; where there is less, whole lines stay. Throws `DiagnosticError` E0413 where it cannot.
   */
  constructor(path: string, keep = 0) {
    this.#path = path;
    this.#file = this.#attempt(() => {
      const file = openSync(path, keep > 0 ? 'a+' : 'w');
      try {
        if (keep > 0) {
          this.length = wholeLines(file, keep);
          ftruncateSync(file, this.length);
        }
      } catch (error) {
        closeSync(file);
        throw error;
      }
      return file;
    });
  }

  write({ step, epoch, metrics }: Measured, validation = false): void {
    const line = { step, epoch, ...(validation && { val: true }), ...metrics };
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    this.#attempt(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
    this.length += bytes.length;
  }

  /** Returns when the lines are on the disk. */
  sync(): void {
    this.#attempt(() => fsyncSync(this.#file));
  }

  close(): void {
    closeSync(this.#file);
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }
}

/** The end of the last line that ends within the first `keep` bytes. */
function wholeLines(file: number, keep: number): number {
  const bytes = Buffer.alloc(Math.min(keep, fstatSync(file).size));
  const read = readSync(file, bytes, 0, bytes.length, 0);
  return bytes.subarray(0, read).lastIndexOf(0x0a) + 1;
}
