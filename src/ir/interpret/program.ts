import type { DimEnv } from '../dim.ts';
import * as D from '../dim.ts';
import type { Kernel } from '../kernel.ts';
import { size } from '../ndarray.ts';
import type { NdArray } from '../primitive.ts';
import type { Program, Tensor, Work } from '../program.ts';
import { inRunningOrder, loopRanges, storageOf, turnsAt } from '../program.ts';
import { applyCast, type Precision } from '../scalar.ts';
import { type DType, elementCount, type TensorType } from '../type.ts';
import { interpretCompute } from './compute.ts';
import { interpretKernel } from './kernel.ts';

export interface ProgramOptions {
  readonly dims: DimEnv;
  readonly precision?: Precision;
  /** Runs these kernels (parallel to the works) instead of the works' Computes. */
  readonly kernels?: readonly { readonly kernels: readonly Kernel[] }[];
}

export interface ProgramResult {
  /** Results and metrics by name. */
  readonly outputs: Map<string, NdArray>;
  /** Parameters and states afterwards, by path. */
  readonly state: Map<string, NdArray>;
}

/** Runs a fused program on doubles: views and packs share memory as they will on the device. */
export function interpretProgram(
  program: Program,
  inputs: Readonly<Record<string, NdArray>>,
  { dims, precision = 'f64', kernels }: ProgramOptions,
): ProgramResult {
  const memory = new Memory(dims);
  for (const tensor of program.tensors) {
    const given = tensor.path === undefined || tensor.role === 'pack' ? undefined : inputs[tensor.path];
    if (given) memory.of(tensor).set(asStored(given.data, tensor.type.dtype, precision));
  }
  for (const i of inRunningOrder(program.works.length, loopRanges(program.works), turnsAt(dims)))
    if (!kernels) runWork(program.works[i]!, memory, dims, precision);
    else for (const kernel of kernels[i]!.kernels) runKernel(kernel, program, memory, dims, precision);
  const outputs = new Map<string, NdArray>();
  const state = new Map<string, NdArray>();
  for (const o of program.outputs)
    if (o.role === 'update')
      state.set(o.target!, memory.array(program.tensors.find(t => t.path === o.target)!));
    else outputs.set(o.name, memory.array(o.tensor));
  return { outputs, state };
}

/** What the host hands over is rounded on the way. */
function asStored(data: Float64Array, dtype: DType, precision: Precision): Float64Array {
  return dtype === 'f16' ? data.map(x => applyCast(x, dtype, precision)) : data;
}

/** Like the device's, memory of an empty tensor still has an element, which guarded loads may touch. */
class Memory {
  readonly #storage = new Map<number, Float64Array>();
  readonly #dims: DimEnv;

  constructor(dims: DimEnv) {
    this.#dims = dims;
  }

  shape(type: TensorType): number[] {
    return type.shape.map(d => D.evaluate(d, this.#dims));
  }

  of(tensor: Tensor): Float64Array {
    const root = storageOf(tensor);
    const length = D.evaluate(elementCount(root.type), this.#dims);
    if (root.within) {
      const { pack, offset } = root.within;
      return this.of(pack).subarray(offset, offset + length);
    }
    let data = this.#storage.get(root.id);
    if (!data) this.#storage.set(root.id, (data = new Float64Array(Math.max(1, length))));
    return data;
  }

  array(tensor: Tensor): NdArray {
    const shape = this.shape(tensor.type);
    return { dtype: tensor.type.dtype, shape, data: this.of(tensor).slice(0, size(shape)) };
  }
}

function runWork(work: Work, memory: Memory, dims: DimEnv, precision: Precision): void {
  const [compute] = work.region.stages;
  if (!compute || work.region.stages.length > 1)
    throw new Error('a region of several stages is not interpreted yet');
  const inputs = work.inputs.map(t => memory.array(t));
  // Outs that each give a part of one tensor add to the same array.
  const parts = new Map<Tensor, NdArray>();
  const partOf = (tensor: Tensor): NdArray => {
    const known = parts.get(tensor) ?? memory.array(tensor);
    parts.set(tensor, known);
    return known;
  };
  const before = compute.outs.map((out, i) => (out.partial ? partOf(work.outputs[i]!) : undefined));
  const results = interpretCompute(compute, inputs, dims, precision, before);
  results.forEach((r, i) => {
    memory.of(work.outputs[i]!).set(r.data);
  });
}

function runKernel(
  kernel: Kernel,
  program: Program,
  memory: Memory,
  dims: DimEnv,
  precision: Precision,
): void {
  const buffers = Object.fromEntries(kernel.buffers.map(b => [b.name, memory.of(b.tensor)]));
  const uniforms: Record<string, number> = { ...dims };
  for (const t of program.tensors) {
    if (t.role === 'scalar') uniforms[t.path!] = memory.of(t)[0]!;
    if (t.role === 'key') [uniforms.seed, uniforms.step] = memory.of(t) as unknown as [number, number];
  }
  interpretKernel(kernel, buffers, uniforms, precision);
}
