import { Presets, SingleBar } from 'cli-progress';
import type { Io } from '../io.ts';
import { note } from '../output.ts';
import type { Measured } from './loop.ts';
import type { Metrics } from './trainer.ts';

/** Sums of an epoch that is under way, kept in checkpoints so that its means come out the same. */
export interface Sums {
  readonly weight: number;
  readonly sums: Readonly<Record<string, number | null>>;
}

/** A bar at the end of a terminal, or nothing where there is none. */
export function openBar(
  io: Io,
  format: string,
  total: number,
  at: number,
  payload: object,
): SingleBar | undefined {
  if (!io.terminal) return undefined;
  const bar = new SingleBar(
    { format, stream: io.terminal, barsize: 16, hideCursor: true, clearOnComplete: true, fps: 5 },
    Presets.rect,
  );
  bar.start(total, at, payload);
  return bar;
}

/** Shows how a training goes: a line that is drawn again on a terminal, a line for every epoch elsewhere. */
export class Progress {
  readonly #io: Io;
  readonly #steps: number;
  readonly #epochs: number;
  readonly #bar: SingleBar | undefined;
  readonly #began = performance.now();
  readonly #from: number;
  readonly #means: Means;
  #epochBegan = this.#began;
  /** Examples of this epoch that this process has trained on. */
  #examples = 0;
  #done: number;

  /** `from`: steps that are done already. */
  constructor(io: Io, steps: number, epochs: number, from = 0, sums?: Sums) {
    this.#io = io;
    this.#steps = steps;
    this.#epochs = epochs;
    this.#from = this.#done = from;
    this.#means = new Means(sums);
    const format = 'epoch {epoch} {bar} step {value}/{total}  {metrics}  {rate}  {left} left';
    this.#bar = openBar(io, format, steps, from, { epoch: `1/${epochs}`, metrics: '', rate: '', left: '?' });
  }

  step({ step, epoch, examples, metrics }: Measured): void {
    this.#means.add(metrics, examples);
    this.#examples += examples;
    this.#done = step + 1;
    this.#bar?.update(this.#done, {
      epoch: `${epoch + 1}/${this.#epochs}`,
      metrics: formatMetrics(this.#means.values()),
      rate: this.#rate(),
      left: this.#left(),
    });
  }

  /** In the place of the metrics, on a terminal only. */
  evaluating(examples: number, of: number): void {
    this.#bar?.update(this.#done, { metrics: `validation ${Math.floor((100 * examples) / of)}%` });
  }

  /** Gives the means of the epoch's metrics. */
  epoch(epoch: number, validation: Measured | undefined): Metrics {
    const means = this.#means.values();
    const width = String(this.#epochs).length;
    const parts = [
      `epoch ${String(epoch + 1).padStart(width)}/${this.#epochs}`,
      `step ${this.#done}`,
      formatMetrics(means),
      ...(validation ? [formatMetrics(validation.metrics, 'val ')] : []),
      this.#rate(),
      `${this.#left()} left`,
    ];
    this.line(parts.join('  '));
    this.#means.clear();
    this.#examples = 0;
    this.#epochBegan = performance.now();
    return means;
  }

  /** Above the bar, which draws itself again under it. */
  line(text: string): void {
    const { terminal } = this.#io;
    terminal?.cursorTo(0);
    terminal?.clearLine(0);
    note(this.#io, `${text}\n`);
  }

  sums(): Sums {
    return this.#means.sums();
  }

  stop(): void {
    this.#bar?.stop();
  }

  /** Seconds since the beginning. */
  seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  #rate(): string {
    const seconds = (performance.now() - this.#epochBegan) / 1000;
    return `${Math.round(this.#examples / Math.max(seconds, 1e-9))} examples/s`;
  }

  #left(): string {
    return clock((this.seconds() / Math.max(this.#done - this.#from, 1)) * (this.#steps - this.#done));
  }
}

/** Weighted means of scalar metrics. */
class Means {
  readonly #sums: Map<string, number>;
  #weight: number;

  /** JSON has no number for a sum that is not finite. */
  constructor({ weight, sums }: Sums = { weight: 0, sums: {} }) {
    this.#weight = weight;
    this.#sums = new Map(Object.entries(sums).map(([name, sum]) => [name, sum ?? Number.NaN]));
  }

  add(metrics: Metrics, weight: number): void {
    this.#weight += weight;
    for (const [name, value] of Object.entries(metrics))
      if (typeof value === 'number') this.#sums.set(name, (this.#sums.get(name) ?? 0) + weight * value);
  }

  values(): Metrics {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#weight]));
  }

  sums(): Sums {
    return { weight: this.#weight, sums: Object.fromEntries(this.#sums) };
  }

  clear(): void {
    this.#sums.clear();
    this.#weight = 0;
  }
}

/** `loss 0.1234  accuracy 0.9688`; metrics that are no scalars are left out. */
export function formatMetrics(metrics: Metrics, prefix = ''): string {
  return Object.entries(metrics)
    .flatMap(([name, value]) =>
      typeof value === 'number' ? [`${prefix}${name} ${formatNumber(value)}`] : [],
    )
    .join('  ');
}

export function formatNumber(x: number): string {
  return x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5) ? x.toExponential(3) : x.toFixed(4);
}

/** `1:05`, `2:00:00` */
export function clock(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
