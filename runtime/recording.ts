import { checkSize } from './buffers.ts';
import { checkCounts } from './limits.ts';
import type { Program, StateTensor } from './plan.ts';
import { count, deviceBytes, evaluate, roundUp, type TensorValue } from './tensor.ts';

/** A tensor's place in a device buffer, and in the buffer it is read back from. */
export interface Region extends Omit<TensorValue, 'data'> {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly at: number;
}

/** Places tensors one after another in a staging buffer. */
export function regions(tensors: readonly (Omit<TensorValue, 'data'> & { name: string; offset: number })[]): {
  regions: Region[];
  bytes: number;
} {
  let end = 0;
  const placed = tensors.map(({ name, dtype, shape, offset }) => {
    const bytes = deviceBytes(dtype, count(shape));
    const at = end;
    end = roundUp(end + bytes, 8);
    return { name, dtype, shape, offset, bytes, at };
  });
  return { regions: placed, bytes: end };
}

/** So many workgroups in rows, since no dimension of a grid may exceed this; kernels leave the surplus of the last row idle. */
export const gridOf = (groups: number): [number, number] => [
  Math.min(groups, 65_535),
  Math.ceil(groups / 65_535),
];

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup | undefined;
  readonly grid: readonly [number, number];
}

/** A program for certain free dims: all sizes evaluated, bind groups made once for a given arena. */
export class Recording {
  readonly program: Program;
  readonly dims: readonly number[];
  readonly arenaBytes: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly Region[];
  readonly outputBytes: number;
  #steps: readonly Step[] = [];
  /** How many of them depend on parameters alone. */
  #prologue = 0;
  #arena: GPUBuffer | undefined;
  /** Whether a run has shown that the device accepts the commands. */
  proven = false;

  constructor(program: Program, dims: readonly number[]) {
    this.program = program;
    this.dims = dims;
    this.arenaBytes = evaluate(program.arenaBytes, dims);
    this.inputs = program.inputs.map(t => evaluate(t.offset, dims));
    const outputs = program.outputs.map(t => ({
      name: t.name,
      dtype: t.dtype,
      shape: t.shape.map(d => (typeof d === 'string' ? dims[program.dims.indexOf(d)]! : evaluate(d, dims))),
      offset: evaluate(t.offset, dims),
    }));
    ({ regions: this.outputs, bytes: this.outputBytes } = regions(outputs));
  }

  isBoundTo(arena: GPUBuffer | undefined): boolean {
    return arena !== undefined && this.#arena === arena;
  }

  /** Before anything is made: throws a `BufferError` naming `what`, and the tensor, where the device has no room. */
  check({ limits }: GPUDevice, what: string, state: readonly StateTensor[]): void {
    const { program, dims } = this;
    checkCounts(what, program, dims);
    checkSize(limits, 'maxBufferSize', this.arenaBytes, what);
    for (const { kernel, bindings } of program.dispatches)
      bindings.forEach(([buffer, offset, bytes], i) => {
        const size = evaluate(bytes, dims);
        if (size <= limits.maxStorageBufferBindingSize) return;
        const { name, code } = program.kernels[kernel]!;
        const own = state.find(t => buffer === 0 && t.offset === offset)?.name;
        const tensor = own ?? new RegExp(`@binding\\(${i}\\) var<[^>]*> (\\w+)`).exec(code)?.[1];
        checkSize(limits, 'maxStorageBufferBindingSize', size, `${what}: ${tensor} of kernel ${name}`);
      });
  }

  /** Makes the bind groups. Throws an Error naming `what` where the device refuses one. */
  async bind(
    device: GPUDevice,
    what: string,
    pipelines: readonly GPUComputePipeline[],
    buffers: readonly (GPUBuffer | undefined)[],
    uniform: GPUBuffer,
  ): Promise<void> {
    const { dispatches, kernels, prologue, loops = [] } = this.program;
    const steps: Step[][] = [];
    device.pushErrorScope('validation');
    let message: string | undefined;
    try {
      for (const dispatch of dispatches) {
        const { kernel, bindings } = dispatch;
        const groups = evaluate(dispatch.groups, this.dims);
        const { name, uniform: hasUniform } = kernels[kernel]!;
        const pipeline = pipelines[kernel]!;
        const entries: GPUBindGroupEntry[] = bindings.map(([buffer, offset, bytes], binding) => {
          const resource = {
            buffer: buffers[buffer]!,
            offset: evaluate(offset, this.dims),
            size: evaluate(bytes, this.dims),
          };
          return { binding, resource };
        });
        if (hasUniform) entries.push({ binding: bindings.length, resource: { buffer: uniform } });
        const layout = pipeline.getBindGroupLayout(0);
        const group =
          entries.length > 0 ? device.createBindGroup({ layout, entries, label: name }) : undefined;
        steps.push(groups ? [{ pipeline, group, grid: gridOf(groups) }] : []);
      }
    } finally {
      message = (await device.popErrorScope())?.message;
    }
    if (message) throw new Error(`${what}: ${message}`);
    for (const [from, to, turns] of loops) {
      const turn = steps.slice(from, to).flat();
      steps.fill([], from, to);
      steps[from] = Array.from({ length: evaluate(turns, this.dims) }, () => turn).flat();
    }
    this.#steps = steps.flat();
    this.#prologue = steps.slice(0, prologue ?? 0).flat().length;
    this.#arena = buffers[1];
  }

  /** Records every dispatch into one compute pass; those of the prologue where it has to run. */
  encode(encoder: GPUCommandEncoder, renew: boolean): void {
    const pass = encoder.beginComputePass();
    let current: GPUComputePipeline | undefined;
    for (let i = renew ? 0 : this.#prologue; i < this.#steps.length; i++) {
      const { pipeline, group, grid } = this.#steps[i]!;
      if (pipeline !== current) pass.setPipeline((current = pipeline));
      if (group) pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
  }
}
