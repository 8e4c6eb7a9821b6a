import type { Graph } from '../../ir/graph.ts';
import type { NdArray } from '../../ir/primitive.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { outOfMemory } from '../../support/errors/training.ts';
import { isAllocation } from '../errors.ts';
import { initialState, interpret, type StateSpec, updates } from '../graphs.ts';
import { fromArray, type Tensors, toArray } from '../tensors.ts';
import type { Batch, Metrics, Trainer } from './trainer.ts';

/** Graphs of a training program that the interpreter can run. */
export interface TrainingGraphs {
  readonly steps: readonly { readonly every: number; readonly graph: Graph }[];
  readonly evaluate: Graph;
  readonly init: Graph;
}

/**
 * Trains in f64 on the host: slow, and the same on every machine. Parameters and state are rounded to their dtypes
 * after every step, so that what is saved is all that there is.
 */
export class InterpretedTrainer implements Trainer {
  readonly #graphs: TrainingGraphs;
  readonly #specs: readonly StateSpec[];
  readonly #seed: number;
  readonly #state = new Map<string, NdArray>();
  steps = 0;

  constructor(graphs: TrainingGraphs, specs: readonly StateSpec[], seed: number, feed: Batch = {}) {
    this.#graphs = graphs;
    this.#specs = specs;
    this.#seed = seed;
    const data = Object.entries(feed).map(([name, value]) => [name, toArray(value)] as const);
    this.#update(initialState(graphs.init, seed, new Map(data)));
  }

  async step(batch: Batch, epoch: number): Promise<Metrics> {
    const metrics: Record<string, Metrics[string]> = {};
    for (const { every, graph } of this.#graphs.steps) {
      if (this.steps % every !== 0) continue;
      const outputs = this.#run(graph, batch, epoch);
      this.#update(updates(graph, outputs));
      Object.assign(metrics, metricsOf(graph, outputs));
    }
    this.steps++;
    await turn();
    return metrics;
  }

  async evaluate(batch: Batch, epoch: number): Promise<Metrics> {
    const { evaluate } = this.#graphs;
    const outputs = this.#run(evaluate, batch, epoch);
    await turn();
    return metricsOf(evaluate, outputs);
  }

  async save(): Promise<Tensors> {
    return new Map(this.#specs.map(({ name }) => [name, fromArray(this.#state.get(name)!)]));
  }

  async load(weights: Tensors): Promise<void> {
    for (const [name, value] of weights) this.#state.set(name, toArray(value));
  }

  dispose(): void {
    this.#state.clear();
  }

  #update(values: Iterable<readonly [string, NdArray]>): void {
    for (const [name, value] of values) this.#state.set(name, toArray(fromArray(value)));
  }

  #run(graph: Graph, batch: Batch, epoch: number): Map<string, NdArray> {
    const tensors = new Map(this.#state);
    for (const [name, value] of Object.entries(batch)) tensors.set(name, toArray(value));
    try {
      return interpret(graph, tensors, { seed: this.#seed, step: this.steps, epoch });
    } catch (error) {
      if (!isAllocation(error)) throw error;
      throw new DiagnosticError(
        outOfMemory(
          `${graph.name} takes more memory than there is: ${(error as Error).message}`,
          'use a smaller --batch',
        ),
      );
    }
  }
}

/** Lets the process look at signals and timers, which steps without a device never wait for. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function metricsOf(graph: Graph, outputs: ReadonlyMap<string, NdArray>): Metrics {
  return Object.fromEntries(
    graph.outputs
      .filter(o => o.role === 'metric')
      .map(({ name }) => {
        const { shape, data } = outputs.get(name)!;
        return [name, shape.length === 0 ? data[0]! : [...data]];
      }),
  );
}
