import type { Dataset } from './data.ts';
import type { Metrics, Trainer } from './trainer.ts';

/** Enough that a device never waits for the host, and few enough that a loss that is not finite soon ends the run. */
export const inFlight = 3;

export interface EvaluateOptions {
  readonly batch: number;
  /** The program's `epoch`. */
  readonly epoch: number;
  /** Asked before every batch: whether to leave off. */
  readonly stopped?: () => boolean;
  /** Is told how many examples have been submitted. */
  readonly progress?: (examples: number) => void;
}

/**
 * Means of the metrics over all examples in inference mode, each batch weighted by its size, the last, partial one
 * included. Undefined where it was told to leave off.
 */
export async function evaluate(
  trainer: Trainer,
  data: Dataset,
  { batch, epoch, stopped, progress }: EvaluateOptions,
): Promise<Metrics | undefined> {
  const sums = new Map<string, number[]>();
  const scalars = new Set<string>();
  const waiting: { weight: number; metrics: Promise<Metrics> }[] = [];
  const settle = async (): Promise<void> => {
    const { weight, metrics } = waiting.shift()!;
    for (const [name, value] of Object.entries(await metrics)) {
      if (typeof value === 'number') scalars.add(name);
      const values = typeof value === 'number' ? [value] : value;
      const sum = sums.get(name) ?? values.map(() => 0);
      sums.set(
        name,
        sum.map((s, i) => s + weight * values[i]!),
      );
    }
  };
  let submitted = 0;
  // The same examples, whatever the epoch.
  for await (const feed of data.feeds({ epoch: 0, size: batch, keepLast: true })) {
    if (stopped?.()) break;
    if (waiting.length >= inFlight) await settle();
    const metrics = trainer.evaluate(feed.batch, epoch);
    // Handled even where an earlier batch ends the loop.
    metrics.catch(() => {});
    waiting.push({ weight: feed.examples / data.examples, metrics });
    submitted += feed.examples;
    progress?.(submitted);
  }
  while (waiting.length > 0) await settle();
  if (submitted < data.examples) return undefined;
  return Object.fromEntries([...sums].map(([name, sum]) => [name, scalars.has(name) ? sum[0]! : sum]));
}
