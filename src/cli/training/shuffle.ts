import { threefry2x32 } from '../../ir/scalar.ts';

/** Sets these numbers apart from those that a program draws itself with (seed, step, element, site). */
const site = 0x73687566;

/**
 * A permutation of 0..n-1 that depends on seed and epoch alone (Fisher and Yates; Durstenfeld 1964), from the
 * counter-based generator that programs use. The bias is at most n / 2^32.
 */
export function permutation(n: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const bits = threefry2x32(seed, epoch, i, site);
    const j = Math.floor((bits / 2 ** 32) * (i + 1));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
