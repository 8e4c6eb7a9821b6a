import type { Graph } from '../../ir/graph.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { notMonitored } from '../../support/errors/training.ts';
import { closest } from '../../support/suggest.ts';
import type { Measured } from './loop.ts';

/** What a program minimises: `loss`, or `d.loss` of its `step d`. */
export const isLoss = (metric: string): boolean => /(^|\.)loss(_\d+)?$/.test(metric);

/** The loss that is watched where none is named. */
export function firstLoss(evaluate: Graph): string {
  return evaluate.outputs.find(o => o.role === 'metric' && isLoss(o.name))?.name ?? 'loss';
}

/** A metric of the validation data, and where better is. */
export interface Monitor {
  readonly metric: string;
  readonly goal: 'min' | 'max';
}

/** The best value so far and when it was. */
export interface Best {
  readonly value: number;
  readonly step: number;
  readonly epoch: number;
}

// A name such as `accuracy_loss` says what it is at its end, so that losses are looked for first.
const falling =
  /loss|err(or)?s?(?![a-z])|perplexity|ppl|mse|mae|nll|entropy|distance|divergence|regret|wer|cer/i;
const rising =
  /acc|precision|recall|f1|auc|iou|dice|score|bleu|rouge|psnr|ssim|r2|correct|top_?\d|likelihood/i;

/**
 * `accuracy`, or `dice:max` where the name does not tell which way is better. Throws `DiagnosticError` E0417 for a
 * metric that the program does not have, or whose direction is unknown.
 */
export function chooseMonitor(text: string, evaluate: Graph): Monitor {
  const [, metric = text, goal] = /^(.*):(min|max)$/.exec(text) ?? [];
  const fail = (why: string, hint: string): never => {
    throw new DiagnosticError(notMonitored(metric, why, hint));
  };
  const metrics = evaluate.outputs.filter(o => o.role === 'metric');
  const names = metrics.map(o => o.name);
  const found = metrics.find(o => o.name === metric);
  if (!found) {
    const near = closest(metric, names);
    return fail(
      'the program has no such metric',
      near ? `did you mean ${near}?` : `it has ${names.join(', ')}`,
    );
  }
  if (goal === 'min' || goal === 'max') return { metric, goal };
  if (falling.test(metric)) return { metric, goal: 'min' };
  if (rising.test(metric)) return { metric, goal: 'max' };
  return fail('which way is better?', `say --monitor ${metric}:min or --monitor ${metric}:max`);
}

/** Watches a metric over epochs. A value that is not a number is never best. */
export class BestSoFar {
  readonly monitor: Monitor;
  best: Best | undefined;
  /** Epochs since the best one. */
  stale: number;

  constructor(monitor: Monitor, best?: Best, stale = 0) {
    this.monitor = monitor;
    this.best = best;
    this.stale = stale;
  }

  /** Whether this is the best so far. */
  update({ step, epoch, metrics }: Measured): boolean {
    const value = metrics[this.monitor.metric];
    if (typeof value === 'number' && this.#improves(value)) {
      this.best = { value, step, epoch };
      this.stale = 0;
      return true;
    }
    this.stale++;
    return false;
  }

  #improves(value: number): boolean {
    if (!Number.isFinite(value)) return false;
    if (!this.best) return true;
    return this.monitor.goal === 'min' ? value < this.best.value : value > this.best.value;
  }
}
