import type { Kernel } from '../../ir/kernel.ts';
import { kernelKey } from '../../ir/kernel-key.ts';

/** Keeps the first of each set of equal kernels. */
export class KernelList {
  readonly kernels: Kernel[] = [];
  readonly #positions = new Map<string, number>();
  readonly #names = new Set<string>();

  /** The position of a kernel that does what this one does. A name that another kernel has gets a number. */
  add(kernel: Kernel): number {
    const key = kernelKey(kernel);
    const known = this.#positions.get(key);
    if (known !== undefined) return known;
    let name = kernel.name;
    for (let n = 2; this.#names.has(name); n++) name = `${kernel.name}_${n}`;
    this.#names.add(name);
    this.#positions.set(key, this.kernels.length);
    return this.kernels.push(name === kernel.name ? kernel : { ...kernel, name }) - 1;
  }
}
