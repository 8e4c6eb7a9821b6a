import type { Graph } from '../../ir/graph.ts';
import type { NdArray } from '../../ir/primitive.ts';
import { initialState, interpret, type StateSpec, updates } from '../graphs.ts';
import { fromArray, type Tensors, toArray } from '../tensors.ts';
import type { Batch, Metrics, Trainer } from './trainer.ts';

/** Graphs of a training program that the interpreter can run. */
export interface TrainingGraphs {
  readonly step: Graph;
  readonly evaluate: Graph;
  readonly init: Graph;
}

/** Trains in f64 on the host: slow, exact, and the same on every machine. Weights are rounded where they are saved. */
export class InterpretedTrainer implements Trainer {
  readonly #graphs: TrainingGraphs;
  readonly #specs: readonly StateSpec[];
  readonly #seed: number;
  readonly #state: Map<string, NdArray>;
  #steps = 0;

  constructor(graphs: TrainingGraphs, specs: readonly StateSpec[], seed: number) {
    this.#graphs = graphs;
    this.#specs = specs;
    this.#seed = seed;
    this.#state = initialState(graphs.init, seed);
  }

  async step(batch: Batch, epoch: number): Promise<Metrics> {
    const { step } = this.#graphs;
    const outputs = this.#run(step, batch, epoch);
    for (const [name, value] of updates(step, outputs)) this.#state.set(name, value);
    this.#steps++;
    return metricsOf(step, outputs);
  }

  async evaluate(batch: Batch, epoch: number): Promise<Metrics> {
    const { evaluate } = this.#graphs;
    return metricsOf(evaluate, this.#run(evaluate, batch, epoch));
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

  #run(graph: Graph, batch: Batch, epoch: number): Map<string, NdArray> {
    const tensors = new Map(this.#state);
    for (const [name, value] of Object.entries(batch)) tensors.set(name, toArray(value));
    return interpret(graph, tensors, { seed: this.#seed, step: this.#steps, epoch });
  }
}

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
