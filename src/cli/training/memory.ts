import type { SizedProgram } from '../backend.ts';

/** What a device allows a buffer to have, in bytes. */
export type BufferLimits = Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;

const evaluate = (size: number | ((...dims: number[]) => number), dims: readonly number[]): number =>
  typeof size === 'number' ? size : size(...dims);

/** Bytes of the buffer that holds everything of a run but parameters and state. */
export const arenaBytes = (program: SizedProgram, dims: readonly number[]): number =>
  evaluate(program.arenaBytes, dims);

/** What of a run is too large for a device, or undefined. */
export function excess(
  program: SizedProgram,
  dims: readonly number[],
  limits: BufferLimits,
): { readonly bytes: number; readonly most: number } | undefined {
  const bytes = arenaBytes(program, dims);
  if (bytes > limits.maxBufferSize) return { bytes, most: limits.maxBufferSize };
  for (const { bindings } of program.dispatches)
    for (const [, , size] of bindings) {
      const bytes = evaluate(size, dims);
      if (bytes > limits.maxStorageBufferBindingSize)
        return { bytes, most: limits.maxStorageBufferBindingSize };
    }
  return undefined;
}

/** The largest size below `size` for which `fits` holds, or 0; what a larger size needs is never less. */
export function largestBelow(size: number, fits: (size: number) => boolean): number {
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
