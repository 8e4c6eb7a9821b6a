import type { Kernel } from './plan.ts';

/** The device went away (`reason` as WebGPU gives it: `destroyed` or `unknown`); open the model again. */
export class DeviceLostError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(`the GPU device was lost (${reason})${message ? `: ${message}` : ''}`);
    this.name = 'DeviceLostError';
    this.reason = reason;
  }
}

/** A buffer larger than the device allows or has memory for. The message says what it is for. */
export class BufferError extends Error {
  /** What was asked for. */
  readonly bytes: number;
  constructor(message: string, bytes: number) {
    super(message);
    this.name = 'BufferError';
    this.bytes = bytes;
  }
}

/** A kernel that the device's compiler refuses: the kernel's name, its place in the source, what was said. */
export class KernelError extends Error {
  readonly kernel: string;
  readonly from: string;
  constructor(kernel: Kernel, detail: string) {
    super(`kernel ${kernel.name} (${kernel.from}) does not compile: ${detail}`);
    this.name = 'KernelError';
    this.kernel = kernel.name;
    this.from = kernel.from;
  }
}
