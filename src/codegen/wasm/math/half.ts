import type { Get, Ref } from '../code.ts';
import type { Lanes } from '../lanes.ts';
import { float, int, withSign } from './polynomial.ts';

/** The f32 of the 16 bits of an f16, which are the low ones of an int. */
export function fromHalf(l: Lanes, bits: Get): Ref {
  const { m } = l.code;
  const size = int(l, l.i.shl(l.bits.and(bits(), l.int(0x7fff)), m.i32.const(13)));
  // The exponent has another bias; a product brings it right for subnormal numbers too.
  const finite = l.toBits(l.f.mul(l.fromBits(size()), l.constant(2 ** 112)));
  const special = l.bits.or(size(), l.int(0x7f800000));
  const value = l.select(l.i.ge_s(size(), l.int(0x0f800000)), special, finite);
  const sign = l.i.shl(l.bits.and(bits(), l.int(0x8000)), m.i32.const(16));
  return l.fromBits(l.bits.or(value, sign));
}

/** The 16 bits of a value that f16 has. */
export function toHalf(l: Lanes, x: Get): Ref {
  const { m } = l.code;
  const bits = int(l, l.toBits(x()));
  const size = float(l, l.f.abs(x()));
  const finite = l.i.shr_u(l.toBits(l.f.mul(size(), l.constant(2 ** -112))), m.i32.const(13));
  const special = l.select(l.f.eq(size(), l.constant(Infinity)), l.int(0x7c00), l.int(0x7e00));
  const value = l.select(l.f.lt(size(), l.constant(Infinity)), finite, special);
  return l.bits.or(value, l.bits.and(l.i.shr_u(bits(), m.i32.const(16)), l.int(0x8000)));
}

/** A float rounded to the nearest that f16 has, ties to even; too large becomes infinity. */
export function roundToHalf(l: Lanes, x: Get): Ref {
  const size = float(l, l.f.abs(x()));
  // Floats of this size lie as far apart as the halves around x, so that adding rounds.
  const exponent = l.bits.and(l.toBits(size()), l.int(0x7f800000));
  const step = l.i.add(l.maxInt(exponent, l.int(113 << 23), true), l.int((13 << 23) | 0x400000));
  const large = float(l, l.fromBits(step));
  const rounded = l.f.sub(l.f.add(size(), large()), large());
  const inRange = l.f.lt(size(), l.constant(65520));
  const beyond = l.f.mul(size(), l.constant(Infinity));
  return withSign(l, l.select(inRange, rounded, beyond), x());
}
