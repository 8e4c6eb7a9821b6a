import { closeSync, openSync, writeSync } from 'node:fs';
import { usageError } from '../errors.ts';
import type { Measured } from './loop.ts';

/**
 * `metrics.jsonl`: a JSON object a line with `step`, `epoch` (both from 0) and the metrics by name; lines with
 * `"val": true` hold means over the validation data after that step. What is not finite is `null`.
 */
export class MetricsLog {
  readonly #file: number;

  constructor(path: string) {
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw usageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  write({ step, epoch, metrics }: Measured, validation = false): void {
    const line = { step, epoch, ...(validation && { val: true }), ...metrics };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
