import { BufferError } from './errors.ts';
import type { Program } from './plan.ts';
import { evaluate } from './tensor.ts';

/** Kernels count in 32 bits; the last workgroup and the last row of a grid go a little further. */
const mostElements = 2 ** 31 - 2 ** 16;

/** Throws a `BufferError` where kernels would count further than they can. */
export function checkCounts(
  what: string,
  { counts = [] }: Pick<Program, 'counts'>,
  dims: readonly number[],
): void {
  for (const [name, size] of counts) {
    const n = evaluate(size, dims);
    if (!(n <= mostElements))
      throw new BufferError(`${what}: ${name} counts to ${n}, at most ${mostElements} in 32 bits`, 4 * n);
  }
}
