import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { ensureFolder, writeAtomically } from '../files.ts';
import { expandGraph } from '../graphs.ts';
import type { Io } from '../io.ts';
import { type Checked, loadCompiled } from '../load.ts';
import type { SourceOptions } from '../options.ts';
import type { Tensors } from '../tensors.ts';
import type { Observer } from '../training/loop.ts';
import type { RunInputs } from '../training/settings.ts';
import { confusionOf, filtersOf, sampler } from './collect.ts';
import type { Content, Found, MetricsLine } from './content.ts';
import { type Detections, detectionsOf } from './detections.ts';
import { netGraph } from './net-graph.ts';
import { printReport } from './page.ts';

export interface ReportOptions {
  /** Where the page goes. */
  readonly file: string;
  /** The `.dnn` file, and how it was compiled. */
  readonly path: string;
  readonly source: SourceOptions;
  readonly checked: Checked;
  readonly inputs: RunInputs;
  readonly batch: number;
  /** What the training begins with. */
  readonly weights: Tensors;
}

/** Gathers what the report of a training shows while it runs, and writes the page in the end. */
export class Report {
  readonly #options: ReportOptions;
  readonly #sample: ((weights: Tensors) => Content['samples'][number]['pictures']) | undefined;
  readonly #samples: Content['samples'][number][] = [];
  readonly #detections: Detections | undefined;
  readonly #moments: Found['moments'][number][] = [];
  #weights: Tensors;
  #epochs = 0;

  constructor(options: ReportOptions) {
    const { checked, inputs, file, weights } = options;
    this.#options = options;
    this.#weights = weights;
    ensureFolder(dirname(file));
    const judged = inputs.validation ?? inputs.data;
    this.#sample = sampler(checked.module, inputs.train, judged);
    this.#detections = detectionsOf(checked.module, inputs.train, weights, judged);
    this.#take('at the beginning');
  }

  /** The observer, which is told everything as before. */
  watch(observer: Observer): Observer {
    return {
      step: measured => observer.step(measured),
      evaluating: (examples, of) => observer.evaluating(examples, of),
      due: position => observer.due(position),
      checkpoint: (weights, position) => observer.checkpoint(weights, position),
      interrupt: (weights, position) => {
        this.#weights = weights;
        observer.interrupt(weights, position);
      },
      epoch: (epoch, validation, weights) => {
        this.#weights = weights;
        this.#epochs++;
        // After 1, 2, 4, 8 … epochs: most happens in the beginning.
        if (Number.isInteger(Math.log2(epoch + 1))) this.#take(`after epoch ${epoch + 1}`);
        return observer.epoch(epoch, validation, weights);
      },
    };
  }

  #take(after: string): void {
    if (this.#sample) this.#samples.push({ after, pictures: this.#sample(this.#weights) });
    if (this.#detections) this.#moments.push({ after, found: this.#detections.find(this.#weights) });
  }

  /** `metrics` is the training's `metrics.jsonl`. */
  write(metrics: string, facts: Content['facts'], io: Io): void {
    const { file, path, source, checked, inputs, batch } = this.#options;
    const { train, data, validation } = inputs;
    const sizes: DimEnv = data.batchDim === undefined ? data.dims : { ...data.dims, [data.batchDim]: batch };
    if (this.#epochs > 0 && !Number.isInteger(Math.log2(this.#epochs))) this.#take('in the end');
    const judged = validation ?? data;
    const confusion = confusionOf(checked.module, train, this.#weights, judged);
    const used = checked.module.nets.filter(n => train.nets.includes(n.name));
    const content: Content = {
      title: `${train.name}: ${path}`,
      facts: [
        ...facts,
        ['examples', `${data.examples}${validation ? `, and ${validation.examples} for validation` : ''}`],
      ],
      lines: readFileSync(metrics, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as MetricsLine),
      ...(confusion && { confusion }),
      samples: this.#samples,
      ...(this.#detections && { detections: { ...this.#detections, moments: this.#moments } }),
      filters: filtersOf(checked.module, train, this.#weights),
      nets: used.map(({ name, predict }) => netGraph(name, expandGraph(predict), sizes)),
      memory: memoryOf(path, train, source, sizes, io),
    };
    writeAtomically(file, printReport(content));
  }
}

/** The arena of each step, as it is planned for WebGPU. */
function memoryOf(
  path: string,
  train: RunInputs['train'],
  source: SourceOptions,
  sizes: DimEnv,
  io: Io,
): Content['memory'] {
  const names = train.steps.map(s => `${train.name}.${s.name}`);
  const { compiled } = loadCompiled(path, source, io, { checked: true, only: name => names.includes(name) });
  return names.flatMap(name => {
    const plan = compiled.programs.get(name)?.plan;
    if (!plan) return [];
    const at = (d: D.Dim): number => D.evaluate(d, sizes);
    return [
      {
        program: name,
        arena: at(plan.arenaBytes),
        dispatches: plan.dispatches.length,
        blocks: plan.blocks.map(b => ({
          name: b.tensor.name,
          offset: at(b.offset),
          bytes: at(b.bytes),
          from: b.from,
          to: b.to,
        })),
      },
    ];
  });
}
