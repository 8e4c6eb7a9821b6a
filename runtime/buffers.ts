import { BufferError } from './errors.ts';

// GPUBufferUsage, which Node does not have as a global.
export const usage = { read: 0x1, source: 0x4, target: 0x8, uniform: 0x40, storage: 0x80 } as const;

/** Creates a buffer or throws a `BufferError` that says what was asked for (`what`) and why it cannot be had. */
export async function createBuffer(
  device: GPUDevice,
  size: number,
  flags: number,
  what: string,
): Promise<GPUBuffer> {
  checkSize(device.limits, 'maxBufferSize', size, what);
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer({ size, usage: flags });
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  if (errors[0] || errors[1]) {
    buffer.destroy();
    const reason = errors[0] ? 'the device is out of memory' : errors[1]!.message;
    throw new BufferError(`${what} takes ${bytes(size)}: ${reason}`, size);
  }
  return buffer;
}

export function checkSize(
  limits: GPUSupportedLimits,
  limit: 'maxBufferSize' | 'maxStorageBufferBindingSize',
  size: number,
  what: string,
): void {
  const most = limits[limit];
  if (!(size <= most))
    throw new BufferError(`${what} takes ${bytes(size)}, the device allows ${bytes(most)} (${limit})`, size);
}

const bytes = (n: number): string => (n < 2 ** 20 ? `${n} bytes` : `${(n / 2 ** 20).toFixed(1)} MiB`);

/** Buffers that results are copied to and read from; one is in use per run in flight, and used again after. */
export class Staging {
  readonly #device: GPUDevice;
  readonly #all = new Set<GPUBuffer>();
  #free: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  take(size: number): GPUBuffer {
    // Not one many times too large, which a later run that needs it would have to make again.
    const fits = this.#free.filter(b => b.size >= size && b.size <= Math.max(4 * size, 65_536));
    const found = fits.sort((a, b) => a.size - b.size)[0];
    if (found) {
      this.#free = this.#free.filter(b => b !== found);
      return found;
    }
    const made = this.#device.createBuffer({
      size: Math.min(Math.max(256, 2 ** Math.ceil(Math.log2(size))), this.#device.limits.maxBufferSize),
      usage: usage.read | usage.target,
    });
    this.#all.add(made);
    return made;
  }

  /** Puts an unmapped buffer back; all but the eight last used are let go. */
  give(buffer: GPUBuffer): void {
    this.#free.push(buffer);
    if (this.#free.length > 8) this.drop(this.#free.shift()!);
  }

  drop(buffer: GPUBuffer): void {
    this.#all.delete(buffer);
    buffer.destroy();
  }

  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
  }
}
