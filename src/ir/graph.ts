import type { Span } from '../support/source.ts';
import type { Dim } from './dim.ts';
import type { Attrs, Primitive } from './primitive.ts';
import type { TensorType } from './type.ts';

/** One result of a node. */
export interface Value {
  /** Unique in its graph. */
  readonly id: number;
  readonly type: TensorType;
  readonly node: Node;
  /** Which of the node's outputs it is. */
  readonly index: number;
}

/** Where a node came from: the place in the source and the path a user knows it by (`LeNet.conv`). */
export interface Origin {
  readonly span?: Span;
  readonly path?: string;
}

export type Node = OpNode | InputNode | LoopNode;

export interface OpNode {
  readonly kind: 'op';
  readonly op: Primitive;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly outputs: readonly Value[];
  readonly origin: Origin;
}

/**
 * What comes from outside: a net's tensor `input`; `data` of a training program; a `param` or `state` (optimiser
 * state too), kept on the device between runs; a `scalar` the host sets each step (`epoch`, `iter`);
 * the random `key`, u32[2] = (seed, step).
 */
export interface InputNode {
  readonly kind: 'input';
  readonly role: 'input' | 'data' | 'param' | 'state' | 'scalar' | 'key';
  /** The path that is also the safetensors key. */
  readonly name: string;
  readonly inputs: readonly [];
  readonly outputs: readonly [Value];
  readonly origin: Origin;
}

/**
 * `scan`: runs `body` `steps` times. Its inputs are what every turn reads, then the first values of `carries`, then
 * `slices` tensors that a turn takes one element of, along axis 0 (from the end where `reverse`). Its outputs are the
 * carries' last values, then what the turns yield, stacked along axis 0. The inputs and outputs of the body are in
 * the same order, without that axis.
 */
export interface LoopNode {
  readonly kind: 'loop';
  readonly body: Graph;
  readonly carries: number;
  readonly slices: number;
  readonly steps: Dim;
  readonly reverse: boolean;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly origin: Origin;
}

export interface Output {
  readonly name: string;
  /** `result` and `metric` go back to the host; `update` becomes the new value of the param or state `target`. */
  readonly role: 'result' | 'metric' | 'update';
  readonly value: Value;
  readonly target?: string;
}

/** Single assignment, topological order. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly outputs: readonly Output[];
}

export function graphInputs(graph: Graph): InputNode[] {
  return graph.nodes.filter(n => n.kind === 'input');
}
