import type { Get, Ref } from '../code.ts';
import type { Lanes } from '../lanes.ts';

/** c[0] + x (c[1] + x (c[2] + …)). */
export function polynomial(l: Lanes, x: Get, coefficients: readonly number[]): Ref {
  return coefficients
    .slice(0, -1)
    .reduceRight<Ref>(
      (sum, c) => l.f.add(l.constant(c), l.f.mul(x(), sum)),
      l.constant(coefficients.at(-1)!),
    );
}

/** A float of `l` in a local. */
export const float = (l: Lanes, value: Ref): Get => l.code.keep(value, l.floatType);
export const int = (l: Lanes, value: Ref): Get => l.code.keep(value, l.intType);

/** |a| with the sign of `sign`; `a` is not negative. */
export function withSign(l: Lanes, a: Ref, sign: Ref): Ref {
  const bit = l.bits.and(l.toBits(sign), l.int(0x80000000));
  return l.fromBits(l.bits.or(l.toBits(a), bit));
}
