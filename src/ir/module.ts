import type { Span } from '../support/source.ts';
import type { Graph } from './graph.ts';

/** What a `.dnn` file means: its exported nets and training programs, each as graphs over named parameters. */
export interface Module {
  readonly nets: readonly Net[];
  readonly trains: readonly Train[];
}

/**
 * A net in inference mode. `predict` has inputs of role `input` and `param`/`state`, outputs of role `result`.
 * `init` has the random key as its only input and one `update` output per parameter and state of the net.
 */
export interface Net {
  readonly name: string;
  readonly predict: Graph;
  readonly init: Graph;
  /** Its declaration. */
  readonly span?: Span;
  /** Where its parameters come from when a program runs; checking and compiling need no such file. */
  readonly weights?: NetWeights;
}

/** `weights "net.safetensors" rename "names.json"`: both relative to the file that says so. */
export interface NetWeights {
  readonly file: string;
  readonly rename?: string;
  readonly span: Span;
}

/**
 * A training program. Each of `steps` computes metrics (the loss among them, under the name `loss`, or `d.loss` in
 * `step d`) and updates of parameters, states and optimiser states; `evaluate` computes the metrics alone with
 * `training = false`; `init` sets every parameter and state that a step reads or writes. All take inputs of role
 * `data`.
 */
export interface Train {
  readonly name: string;
  /** Run one after the other for each batch. */
  readonly steps: readonly TrainStep[];
  readonly evaluate: Graph;
  readonly init: Graph;
  /**
   * Free sizes in the shapes of its `param`s. A compiled program must know them: they are given from outside, or taken
   * from what is fed first.
   */
  readonly sizes: readonly string[];
  /** Nets that the program uses, which can predict from its parameters. */
  readonly nets: readonly string[];
  /** Its declaration. */
  readonly span?: Span;
}

export interface TrainStep {
  /** `step`, or `step:d` for `step d { … }`. */
  readonly name: string;
  /** Runs for each batch whose number is a multiple of it. */
  readonly every: number;
  readonly graph: Graph;
}
