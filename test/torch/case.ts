import { readFileSync } from 'node:fs';
import { readSafetensors, toNdArray } from '../../src/interop/safetensors.ts';
import type { NdArray } from '../../src/ir/primitive.ts';

/** One call of a PyTorch function. */
export interface Call {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

interface Shared {
  readonly name: string;
  readonly graph: readonly Call[];
  readonly params: readonly string[];
  readonly consts: readonly string[];
  readonly buffers: readonly string[];
  /** The error of PyTorch itself in float32. */
  readonly f32_err: number;
}

/** Values and gradients: `out.OUT` and `grad.NAME` for cotangents `gy.OUT`. */
export interface VjpCase extends Shared {
  readonly kind: 'vjp';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly grads: readonly string[];
}

/** A training run from `init.P` over `feed.F`: `loss`, `grad1.P`, `step1.P`, `final.P`. */
export interface TrainCase extends Shared {
  readonly kind: 'train';
  readonly trained: readonly string[];
  readonly feeds: readonly string[];
  readonly loss: string;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly steps: number;
  readonly clip_grad_norm: unknown;
  readonly clip_grad_value?: unknown;
  readonly lr_schedule: unknown;
}

export type Case = VjpCase | TrainCase;

export interface LoadedCase<C extends Case = Case> {
  readonly case: C;
  readonly tensors: ReadonlyMap<string, NdArray>;
}

export function readCase(path: string): LoadedCase {
  const { tensors, metadata } = readSafetensors(readFileSync(path), path);
  const read = JSON.parse(metadata.case!) as Case;
  // An argument that is not given may be null.
  const graph = read.graph.map(call => ({ ...call, in: call.in.filter(name => name !== null) }));
  return {
    case: { ...read, graph },
    tensors: new Map([...tensors].map(([name, t]) => [name, toNdArray(t, name)])),
  };
}

export function tensorOf({ case: { name: of }, tensors }: LoadedCase, name: string): NdArray {
  const found = tensors.get(name);
  if (!found) throw new Error(`case ${of} has no tensor ${name}`);
  return found;
}

/** Row `i` of the leading axis. */
export function row({ dtype, shape, data }: NdArray, i: number): NdArray {
  const [, ...rest] = shape;
  const count = rest.reduce((n, d) => n * d, 1);
  return { dtype, shape: rest, data: data.slice(i * count, (i + 1) * count) };
}

/** max |a - b| / max(max |b|, 1e-3). */
export function errorOf(actual: NdArray, expected: NdArray): number {
  if (actual.shape.join() !== expected.shape.join())
    throw new Error(`shape [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`);
  let gap = 0;
  let scale = 1e-3;
  expected.data.forEach((b, i) => {
    const d = Math.abs(actual.data[i]! - b);
    if (!(d <= gap)) gap = d;
    scale = Math.max(scale, Math.abs(b));
  });
  return gap / scale;
}
