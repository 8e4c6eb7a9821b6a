import { Presets, SingleBar } from 'cli-progress';
import type { Io } from '../io.ts';
import type { Measured } from './loop.ts';
import type { Metrics } from './trainer.ts';

/** Shows how a training goes: a line that is drawn again on a terminal, a line for every epoch elsewhere. */
export class Progress {
  readonly #io: Io;
  readonly #steps: number;
  readonly #epochs: number;
  readonly #bar: SingleBar | undefined;
  readonly #began = performance.now();
  readonly #means = new Means();
  #epochBegan = this.#began;
  #done = 0;

  constructor(io: Io, steps: number, epochs: number) {
    this.#io = io;
    this.#steps = steps;
    this.#epochs = epochs;
    if (!io.terminal) return;
    const format = 'epoch {epoch} {bar} step {value}/{total}  {metrics}  {rate}  {left} left';
    this.#bar = new SingleBar(
      { format, stream: io.terminal, barsize: 16, hideCursor: true, clearOnComplete: true, fps: 5 },
      Presets.rect,
    );
    this.#bar.start(steps, 0, { epoch: `1/${epochs}`, metrics: '', rate: '', left: '?' });
  }

  step({ step, epoch, examples, metrics }: Measured): void {
    this.#means.add(metrics, examples);
    this.#done = step + 1;
    this.#bar?.update(this.#done, {
      epoch: `${epoch + 1}/${this.#epochs}`,
      metrics: formatMetrics(this.#means.values()),
      rate: this.#rate(),
      left: this.#left(),
    });
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
    this.#line(parts.join('  '));
    this.#means.clear();
    this.#epochBegan = performance.now();
    return means;
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
    return `${Math.round(this.#means.weight / Math.max(seconds, 1e-9))} examples/s`;
  }

  #left(): string {
    return clock((this.seconds() / Math.max(this.#done, 1)) * (this.#steps - this.#done));
  }

  /** Above the bar, which draws itself again under it. */
  #line(text: string): void {
    const { terminal } = this.#io;
    terminal?.cursorTo(0);
    terminal?.clearLine(0);
    this.#io.out(`${text}\n`);
  }
}

/** Weighted means of scalar metrics. */
class Means {
  readonly #sums = new Map<string, number>();
  weight = 0;

  add(metrics: Metrics, weight: number): void {
    this.weight += weight;
    for (const [name, value] of Object.entries(metrics))
      if (typeof value === 'number') this.#sums.set(name, (this.#sums.get(name) ?? 0) + weight * value);
  }

  values(): Metrics {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.weight]));
  }

  clear(): void {
    this.#sums.clear();
    this.weight = 0;
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

function formatNumber(x: number): string {
  return x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5) ? x.toExponential(3) : x.toFixed(4);
}

/** `1:05`, `2:00:00` */
export function clock(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
