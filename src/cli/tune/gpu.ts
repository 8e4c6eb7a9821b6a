import { createBuffer } from '../../../runtime/buffers.ts';
import { gridOf } from '../../../runtime/recording.ts';
import { entryPoint, printKernel, usesUniforms } from '../../codegen/wgsl/kernel.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Tensor } from '../../ir/program.ts';
import { type Bench, bytesOf, initial, numbersIn, type Opened, type Prepared, storagesOf } from './memory.ts';
import type { Task } from './tasks.ts';

const usage = { storage: 0x80, uniform: 0x40, source: 0x4, target: 0x8, read: 0x1, resolve: 0x200 };

/** Kernels on a WebGPU device. Time is the device's own where it has a clock for it. */
export function gpuBench(device: GPUDevice): Bench {
  const timer = device.features.has('timestamp-query') ? new Timer(device) : undefined;
  return {
    ...(!timer && {
      note: 'the adapter lacks timestamp-query: times are those of the host, around many runs',
    }),
    open: task => GpuMemory.open(device, timer, task),
  };
}

/** Two time stamps of a pass. */
class Timer {
  readonly queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #read: GPUBuffer;

  constructor(device: GPUDevice) {
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 });
    this.#resolved = device.createBuffer({ size: 16, usage: usage.resolve | usage.source });
    this.#read = device.createBuffer({ size: 16, usage: usage.target | usage.read });
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.queries, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#read, 0, 16);
  }

  async milliseconds(wait: <T>(done: Promise<T>) => Promise<T>): Promise<number> {
    await wait(this.#read.mapAsync(usage.read));
    const [from, to] = new BigUint64Array(this.#read.getMappedRange().slice(0));
    this.#read.unmap();
    return Number(to! - from!) / 1e6;
  }
}

/** The memory of one work on a device. */
class GpuMemory implements Opened {
  readonly #device: GPUDevice;
  readonly #timer: Timer | undefined;
  readonly #task: Task;
  readonly #buffers = new Map<Tensor, GPUBuffer>();
  #uniforms: GPUBuffer | undefined;

  static async open(device: GPUDevice, timer: Timer | undefined, task: Task): Promise<GpuMemory> {
    const memory = new GpuMemory(device, timer, task);
    try {
      for (const tensor of storagesOf(task)) await memory.#allocate(tensor);
      if (task.words.length > 0) {
        const view = new DataView(new ArrayBuffer(4 * task.words.length));
        task.words.forEach(({ name, dtype }, i) => {
          if (dtype === 'f32') view.setFloat32(4 * i, task.uniforms[name]!, true);
          else view.setUint32(4 * i, task.uniforms[name]!, true);
        });
        memory.#uniforms = await createBuffer(
          device,
          view.byteLength,
          usage.uniform | usage.target,
          task.name,
        );
        device.queue.writeBuffer(memory.#uniforms, 0, view.buffer);
      }
      return memory;
    } catch (error) {
      memory.close();
      throw error;
    }
  }

  constructor(device: GPUDevice, timer: Timer | undefined, task: Task) {
    this.#device = device;
    this.#timer = timer;
    this.#task = task;
  }

  async #allocate(tensor: Tensor): Promise<GPUBuffer> {
    const flags = usage.storage | usage.source | usage.target;
    // Vectors of four may end past the last element.
    const size = Math.ceil(bytesOf(tensor, this.#task) / 16) * 16;
    const buffer = await createBuffer(this.#device, size, flags, `${this.#task.name}: ${tensor.name}`);
    this.#buffers.set(tensor, buffer);
    return buffer;
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#uniforms?.destroy();
  }

  async prepare(kernels: readonly Kernel[]): Promise<Prepared> {
    const device = this.#device;
    const own: Tensor[] = [];
    const release = (): void => {
      for (const tensor of own) {
        this.#buffers.get(tensor)!.destroy();
        this.#buffers.delete(tensor);
      }
    };
    try {
      const steps: { pipeline: GPUComputePipeline; group: GPUBindGroup; grid: readonly [number, number] }[] =
        [];
      for (const kernel of kernels) {
        for (const { tensor } of kernel.buffers)
          if (!this.#buffers.has(tensor)) {
            await this.#allocate(tensor);
            own.push(tensor);
          }
        const module = device.createShaderModule({ code: printKernel(kernel, this.#task.words) });
        const pipeline = await device.createComputePipelineAsync({
          layout: 'auto',
          compute: { module, entryPoint: entryPoint(kernel) },
        });
        const bound = [
          ...kernel.buffers.map(b => this.#buffers.get(b.tensor)!),
          ...(usesUniforms(kernel) ? [this.#uniforms!] : []),
        ];
        const group = device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
        });
        const groups = D.evaluate(kernel.groups, this.#task.sizes);
        steps.push({ pipeline, group, grid: gridOf(groups) });
      }
      const record = (pass: GPUComputePassEncoder, runs: number): void => {
        for (let run = 0; run < runs; run++)
          for (const { pipeline, group, grid } of steps) {
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, group);
            pass.dispatchWorkgroups(...grid);
          }
        pass.end();
      };
      return {
        results: tensors => this.#results(tensors, record),
        time: runs => this.#time(runs, record),
        close: release,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #results(
    tensors: readonly Tensor[],
    record: (pass: GPUComputePassEncoder, runs: number) => void,
  ): Promise<Float64Array[]> {
    const { queue } = this.#device;
    for (const tensor of storagesOf(this.#task))
      queue.writeBuffer(this.#buffers.get(tensor)!, 0, initial(tensor, this.#task));
    this.#device.pushErrorScope('validation');
    const encoder = this.#device.createCommandEncoder();
    record(encoder.beginComputePass(), 1);
    const staged = tensors.map(tensor => {
      const buffer = this.#buffers.get(tensor)!;
      const copy = this.#device.createBuffer({ size: buffer.size, usage: usage.target | usage.read });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
      return copy;
    });
    queue.submit([encoder.finish()]);
    const error = await this.#device.popErrorScope();
    if (error) throw new Error(error.message);
    const results: Float64Array[] = [];
    for (const [i, copy] of staged.entries()) {
      await this.#wait(copy.mapAsync(usage.read));
      results.push(numbersIn(copy.getMappedRange().slice(0), tensors[i]!, this.#task));
      copy.destroy();
    }
    return results;
  }

  async #time(runs: number, record: (pass: GPUComputePassEncoder, runs: number) => void): Promise<number> {
    const { queue } = this.#device;
    const timer = this.#timer;
    const encoder = this.#device.createCommandEncoder();
    const timestampWrites = timer && {
      querySet: timer.queries,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    record(encoder.beginComputePass(timestampWrites ? { timestampWrites } : {}), runs);
    timer?.resolve(encoder);
    const began = performance.now();
    queue.submit([encoder.finish()]);
    if (timer) return timer.milliseconds(done => this.#wait(done));
    await this.#wait(queue.onSubmittedWorkDone());
    return performance.now() - began;
  }

  /** A software adapter shares its cores with whoever waits for it. */
  #wait<T>(done: Promise<T>): Promise<T> {
    (this.#device as { [waitKey]?: (done: Promise<unknown>) => void })[waitKey]?.(done);
    return done;
  }
}

const waitKey = Symbol.for('dnnc.wait');
