import type { Code, Get, Ref } from '../code.ts';
import { doubles, inDoubles, lowWords, narrow } from '../doubles.ts';
import { type Lanes, oneLane } from '../lanes.ts';
import { float, int, polynomial, withSign } from './polynomial.ts';

/** Adding it rounds an f64 to an integer, which then stands in the low bits. */
const rounder = 1.5 * 2 ** 52;
/** Pi / 2 in two parts; the first has 30 bits, so that its product with 23 more is exact. */
const quarterHigh = 0x3243f6a8 * 2 ** -29;
/** pi / 2 itself is Math.PI / 2 + 6.1e-17. */
const quarterLow = Math.PI / 2 - quarterHigh + 6.123233995736766e-17;

/** From here on the distance to a multiple of pi / 2 takes more digits than an f64 has. */
const huge = 2 ** 23;

/** sin(x + quarters pi / 2). `large` is the function of one number for what is huge. */
export function sine(l: Lanes, x: Get, quarters: number, large: (x: Get) => Ref): Ref {
  const d = doubles(l);
  const shifted = inDoubles(l, [x], y =>
    d.f.add(d.f.mul(y!(), d.constant(2 / Math.PI)), d.constant(rounder)),
  );
  let half = 0;
  const rests = inDoubles(l, [x], y => {
    const turns = d.keep(d.f.sub(shifted[half++]!(), d.constant(rounder)));
    const high = d.f.sub(y!(), d.f.mul(turns(), d.constant(quarterHigh)));
    return d.f.sub(high, d.f.mul(turns(), d.constant(quarterLow)));
  });
  const result = l.code.local(l.floatType);
  const value = onCircle(l, float(l, narrow(l, rests)), lowWords(l, shifted), quarters);
  l.code.push(result.set(value));
  l.patch(l.f.ge(l.f.abs(x()), l.constant(huge)), result, x, large);
  return result.get();
}

/** sin(r + quadrant pi / 2) for |r| ≤ pi / 4: the polynomials of Cephes' sinf and cosf (S. L. Moshier). */
function onCircle(l: Lanes, r: Get, quadrant: Ref, quarters: number): Ref {
  const { m } = l.code;
  const z = float(l, l.f.mul(r(), r()));
  const cube = l.f.mul(
    l.f.mul(r(), z()),
    polynomial(l, z, [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4]),
  );
  const odd = l.f.add(r(), cube);
  const square = l.f.sub(l.constant(1), l.f.mul(l.constant(0.5), z()));
  const rest = polynomial(l, z, [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5]);
  const even = l.f.add(square, l.f.mul(l.f.mul(z(), z()), rest));
  const q = int(l, l.i.add(quadrant, l.int(quarters)));
  const isEven = l.i.ne(l.bits.and(q(), l.int(1)), l.int(0));
  const sign = l.i.shl(l.bits.and(q(), l.int(2)), m.i32.const(30));
  return l.fromBits(l.bits.xor(l.toBits(l.select(isEven, even, odd)), sign));
}

/** 2 / pi: two zeros, then the first 254 bits after the point. */
const bits = 0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561n >> 2n;
const words = [192n, 128n, 64n, 0n].map(by => BigInt.asIntN(64, bits >> by));

/**
 * The same of one huge number (Payne and Hanek): x = mantissa 2^k, and of mantissa (2^k 2 / pi) only the bits near the
 * point matter, which come from a window of those of 2 / pi.
 */
export function sineOfHuge(code: Code, x: Get, quarters: number): Ref {
  const { m, b } = code;
  const l = oneLane(code);
  const i64 = (value: Ref): Get => code.keep(value, b.i64);
  const number = (value: number): Ref => m.i64.const(BigInt(value));
  const x0 = int(l, m.i32.reinterpret(x()));
  const exponent = m.i32.and(m.i32.shr_u(x0(), m.i32.const(23)), m.i32.const(255));
  const k = i64(m.i64.extend_u(m.i32.sub(exponent, m.i32.const(150))));
  const digits = m.i32.or(m.i32.and(x0(), m.i32.const(0x7fffff)), m.i32.const(0x800000));
  const mantissa = i64(m.i64.extend_u(digits));
  // Bits k to k + 96 of 2 / pi: k is at most 104.
  const isFar = code.keep(m.i64.ge_u(k(), number(64)), b.i32);
  const word = (at: number): Get =>
    i64(m.select(isFar(), m.i64.const(words[at + 1]!), m.i64.const(words[at]!)));
  const [first, second, third] = [word(0), word(1), word(2)];
  const by = i64(m.i64.and(k(), number(63)));
  // A shift by 64 would be one by 0: hence two.
  const below = (w: Get): Ref => m.i64.shr_u(m.i64.shr_u(w(), number(1)), m.i64.sub(number(63), by()));
  const high = m.i64.or(m.i64.shl(first(), by()), below(second));
  const low = m.i64.or(m.i64.shl(second(), by()), below(third));
  const carried = m.i64.shr_u(m.i64.mul(mantissa(), m.i64.shr_u(low, number(32))), number(32));
  // x 2 / pi modulo 4, with 62 bits after the point.
  const turns = i64(m.i64.add(m.i64.mul(mantissa(), high), carried));
  const whole = i64(m.i64.shr_u(m.i64.add(turns(), m.i64.const(1n << 61n)), number(62)));
  const rest = m.i64.sub(turns(), m.i64.shl(whole(), number(62)));
  const r = float(
    l,
    m.f32.demote(m.f64.mul(m.f64.convert_s.i64(rest), m.f64.const((Math.PI / 2) * 2 ** -62))),
  );
  const isBelow = code.keep(m.i32.lt_s(x0(), m.i32.const(0)), b.i32);
  const angle = float(l, m.select(isBelow(), m.f32.neg(r()), r()));
  const q = int(l, m.i32.wrap(whole()));
  const quadrant = m.select(isBelow(), m.i32.sub(m.i32.const(0), q()), q());
  const value = onCircle(l, angle, quadrant, quarters);
  return m.select(m.f32.lt(m.f32.abs(x()), m.f32.const(Infinity)), value, m.f32.const(Number.NaN));
}

/** Two turns bring x into -0.42 .. 0.42; the polynomial is that of Cephes' atanf (S. L. Moshier). */
export function atan(l: Lanes, x: Get): Ref {
  const s = float(l, l.f.abs(x()));
  const isHigh = l.code.keep(l.f.gt(s(), l.constant(2.414213562373095)), l.intType);
  const isMiddle = l.code.keep(l.f.gt(s(), l.constant(0.4142135623730951)), l.intType);
  const start = l.select(
    isHigh(),
    l.constant(Math.PI / 2),
    l.select(isMiddle(), l.constant(Math.PI / 4), l.constant(0)),
  );
  const numerator = l.select(
    isHigh(),
    l.constant(-1),
    l.select(isMiddle(), l.f.sub(s(), l.constant(1)), s()),
  );
  const middle = l.select(isMiddle(), l.f.add(s(), l.constant(1)), l.constant(1));
  const t = float(l, l.f.div(numerator, l.select(isHigh(), s(), middle)));
  const z = float(l, l.f.mul(t(), t()));
  const series = polynomial(l, z, [-3.33329491539e-1, 1.99777106478e-1, -1.38776856032e-1, 8.05374449538e-2]);
  const turned = l.f.add(t(), l.f.mul(l.f.mul(t(), z()), series));
  return withSign(l, l.f.add(start, turned), x());
}
