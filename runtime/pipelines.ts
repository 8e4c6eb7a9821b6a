import { KernelError } from './errors.ts';
import type { Kernel } from './plan.ts';

/** The compute pipelines of a device by WGSL and entry point, so that equal kernels are compiled once. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #made = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Asks for all kernels at once. Throws `KernelError`. */
  get(kernels: readonly Kernel[]): Promise<GPUComputePipeline[]> {
    return Promise.all(
      kernels.map(kernel => {
        const key = `${kernel.name}\n${kernel.code}`;
        let made = this.#made.get(key);
        if (!made) this.#made.set(key, (made = this.#compile(kernel)));
        return made;
      }),
    );
  }

  async #compile(kernel: Kernel): Promise<GPUComputePipeline> {
    const device = this.#device;
    // The scope keeps a bad module from the device's `uncapturederror`; the pipeline rejects as well.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: kernel.code, label: kernel.name });
    const invalid = device.popErrorScope();
    const pipeline = device.createComputePipelineAsync({
      layout: 'auto',
      label: kernel.name,
      compute: { module, entryPoint: kernel.name },
    });
    const [made, error] = await Promise.allSettled([pipeline, invalid]);
    if (made.status === 'fulfilled') return made.value;
    const { messages } = await module.getCompilationInfo();
    const lines = kernel.code.split('\n');
    const detail = messages
      .filter(m => m.type === 'error')
      .map(m => `${m.message} at WGSL ${m.lineNum}:${m.linePos}: ${lines[m.lineNum - 1]?.trim()}`)
      .join('\n');
    const scope = error.status === 'fulfilled' ? error.value?.message : undefined;
    throw new KernelError(kernel, detail || scope || String(made.reason?.message ?? made.reason));
  }
}
