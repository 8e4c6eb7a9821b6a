import type { Get, Ref } from '../code.ts';
import { type Doubles, doubles, inDoubles, narrow, shiftBy } from '../doubles.ts';
import type { Lanes } from '../lanes.ts';
import { float } from './polynomial.ts';

/** Adding it rounds an f64 to an integer, which then stands in the low bits. */
const rounder = 1.5 * 2 ** 52;
const rounderBits = 0x4338000000000000n;

/** x^y as 2^(y log2 |x|), in f64 because the exponent may be 150. */
export function power(l: Lanes, x: Get, y: Get): Ref {
  const size = float(l, l.f.abs(x()));
  const d = doubles(l);
  const halves = inDoubles(l, [size, y], (base, exponent) =>
    powerOfTwo(l, d, d.keep(d.f.mul(exponent!(), logarithm(l, d, base!)))),
  );
  const value = float(l, narrow(l, halves));
  const isNegative = l.code.keep(l.i.lt_s(l.toBits(x()), l.int(0)), l.intType);
  const whole = (a: Get): Ref => l.f.eq(l.f.floor(a()), a());
  const halved = float(l, l.f.mul(y(), l.constant(0.5)));
  const isOdd = l.bits.and(whole(y), l.not(whole(halved)));
  const signed = l.select(l.bits.and(isNegative(), isOdd), l.f.neg(value()), value());
  // Negative numbers have powers with whole exponents only; 0 and infinity have all.
  const hasNone = l.bits.and(
    l.bits.and(l.f.lt(x(), l.constant(0)), l.f.lt(size(), l.constant(Infinity))),
    l.not(whole(y)),
  );
  const inside = l.select(hasNone, l.constant(Number.NaN), signed);
  return l.select(l.f.eq(y(), l.constant(0)), l.constant(1), inside);
}

/** log2 of a number that is not negative: 2^e m, and the series of artanh((m - 1) / (m + 1)). */
function logarithm(l: Lanes, d: Doubles, x: Get): Ref {
  const root = 0x3fe6a09e00000000n;
  const bits = d.keep(d.fromBits(d.i.sub(d.toBits(x()), d.bits(root))));
  const low = d.and(d.toBits(bits()), 0x000fffffffffffffn);
  const m = d.keep(d.fromBits(d.i.add(low, d.bits(root))));
  // The exponent, which may be negative, becomes a float by way of the low bits of one.
  const lifted = d.i.shr_u(d.i.add(d.toBits(bits()), d.bits(0x4000000000000000n)), shiftBy(l, 52));
  const e = d.f.sub(d.fromBits(d.or(lifted, 0x4330000000000000n)), d.constant(2 ** 52 + 1024));
  const s = d.keep(d.f.div(d.f.sub(m(), d.constant(1)), d.f.add(m(), d.constant(1))));
  const z = d.keep(d.f.mul(s(), s()));
  const series = horner(d, z, [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13, 1 / 15, 1 / 17]);
  const value = d.f.add(e, d.f.mul(d.f.mul(s(), d.constant(2 / Math.LN2)), series));
  const finite = d.select(d.f.eq(x(), d.constant(Infinity)), d.constant(Infinity), value);
  const positive = d.select(d.f.eq(x(), d.constant(0)), d.constant(-Infinity), finite);
  // NaN is not equal to itself.
  return d.select(d.f.eq(x(), x()), positive, d.constant(Number.NaN));
}

function powerOfTwo(l: Lanes, d: Doubles, t: Get): Ref {
  const bounded = d.keep(d.f.max(d.f.min(t(), d.constant(200)), d.constant(-200)));
  const shifted = d.keep(d.f.add(bounded(), d.constant(rounder)));
  const n = d.i.sub(d.toBits(shifted()), d.bits(rounderBits));
  const rest = d.f.sub(bounded(), d.f.sub(shifted(), d.constant(rounder)));
  const f = d.keep(d.f.mul(rest, d.constant(Math.LN2)));
  let factorial = 1;
  const taylor = Array.from({ length: 11 }, (_, k) => 1 / (factorial *= Math.max(k, 1)));
  const scale = d.fromBits(d.i.shl(d.i.add(n, d.bits(1023n)), shiftBy(l, 52)));
  return d.f.mul(horner(d, f, taylor), scale);
}

function horner(d: Doubles, x: Get, coefficients: readonly number[]): Ref {
  return coefficients
    .slice(0, -1)
    .reduceRight<Ref>(
      (sum, c) => d.f.add(d.constant(c), d.f.mul(x(), sum)),
      d.constant(coefficients.at(-1)!),
    );
}

/** Rounding down and its remainder, in f64 as numbers of the interpreter are. */
export function floorDivide(l: Lanes, x: Get, y: Get): Ref {
  const d = doubles(l);
  return narrow(
    l,
    inDoubles(l, [x, y], (a, b) => d.f.floor(d.f.div(a!(), b!()))),
  );
}

export function floorMod(l: Lanes, x: Get, y: Get): Ref {
  const d = doubles(l);
  return narrow(
    l,
    inDoubles(l, [x, y], (a, b) => d.f.sub(a!(), d.f.mul(d.f.floor(d.f.div(a!(), b!())), b!()))),
  );
}
