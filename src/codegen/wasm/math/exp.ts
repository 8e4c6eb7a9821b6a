import type { Get, Ref } from '../code.ts';
import type { Lanes } from '../lanes.ts';
import { float, int, polynomial, withSign } from './polynomial.ts';

/** Adding it rounds a float to an integer, which then stands in the low bits. */
const rounder = 1.5 * 2 ** 23;

/** ln 2 in two parts, the first of few bits: its products with whole numbers are exact. */
export const highOfLn2 = 0.693359375;
export const lowOfLn2 = Math.LN2 - highOfLn2;

/** x = n ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite). */
function reduce(l: Lanes, x: Get): { n: Get; r: Get } {
  const shifted = float(l, l.f.add(l.f.mul(x(), l.constant(Math.LOG2E)), l.constant(rounder)));
  const whole = float(l, l.f.sub(shifted(), l.constant(rounder)));
  const high = l.f.sub(x(), l.f.mul(whole(), l.constant(highOfLn2)));
  const r = float(l, l.f.sub(high, l.f.mul(whole(), l.constant(lowOfLn2))));
  const n = int(l, l.i.sub(l.toBits(shifted()), l.int(0x4b400000)));
  return { n, r };
}

/** 2^n for n from -126 to 127. */
const powerOfTwo = (l: Lanes, n: Ref): Ref =>
  l.fromBits(l.i.shl(l.i.add(n, l.int(127)), l.code.m.i32.const(23)));

/** exp(r) - 1 - r, over r²: the polynomial of Cephes' expf (S. L. Moshier). */
const tail = (l: Lanes, r: Get): Ref =>
  polynomial(
    l,
    r,
    [5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4],
  );

/** The exponential; `x` within the range where it is a normal number. */
export function expNormal(l: Lanes, x: Get): Ref {
  const { n, r } = reduce(l, x);
  const square = l.f.mul(r(), r());
  const value = l.f.add(l.constant(1), l.f.add(r(), l.f.mul(square, tail(l, r))));
  return l.f.mul(value, powerOfTwo(l, n()));
}

/** Scaling goes in two steps, so that results without a normal number come out right too. */
export function exp(l: Lanes, x: Get): Ref {
  const bounded = float(l, l.atLeast(l.atMost(x(), 89), -104));
  const { n, r } = reduce(l, bounded);
  const square = l.f.mul(r(), r());
  const value = l.f.add(l.constant(1), l.f.add(r(), l.f.mul(square, tail(l, r))));
  const half = int(l, l.i.shr_s(n(), l.code.m.i32.const(1)));
  const rest = l.i.sub(n(), half());
  return l.f.mul(l.f.mul(value, powerOfTwo(l, half())), powerOfTwo(l, rest));
}

/** exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), where nothing cancels; halved on the way, because 2^128 is no number. */
export function expm1(l: Lanes, x: Get): Ref {
  const bounded = float(l, l.atLeast(l.atMost(x(), 89), -30));
  const { n, r } = reduce(l, bounded);
  const small = float(l, l.f.add(r(), l.f.mul(l.f.mul(r(), r()), tail(l, r))));
  const half = float(l, powerOfTwo(l, l.i.sub(n(), l.int(1))));
  const value = l.f.add(l.f.mul(half(), small()), l.f.sub(half(), l.constant(0.5)));
  const twice = float(l, value);
  // -0 and what is so small that r² would vanish.
  return l.select(l.i.eq(n(), l.int(0)), small(), l.f.add(twice(), twice()));
}

/** tanh x = e / (e + 2) with e = exp(2 |x|) - 1. */
export function tanh(l: Lanes, x: Get): Ref {
  const twice = float(l, l.atMost(l.f.mul(l.f.abs(x()), l.constant(2)), 20));
  const e = float(l, expm1(l, twice));
  return withSign(l, l.f.div(e(), l.f.add(e(), l.constant(2))), x());
}

/** 1 / (1 + exp(-x)); for negative x as exp(x) / (1 + exp(x)), which keeps its digits. */
export function sigmoid(l: Lanes, x: Get): Ref {
  const size = float(l, l.f.neg(l.f.abs(x())));
  const e = float(l, exp(l, size));
  const above = l.select(l.f.lt(x(), l.constant(0)), e(), l.constant(1));
  return l.f.div(above, l.f.add(l.constant(1), e()));
}

/** Least-maximum fits: of erf(x) / x in x² below 1, of -log(1 - erf(x)) in x up to 4, where erf rounds to 1. */
export function erf(l: Lanes, x: Get): Ref {
  const s = float(l, l.atMost(l.f.abs(x()), 4));
  const z = float(l, l.f.mul(s(), s()));
  const near = l.f.mul(
    s(),
    polynomial(
      l,
      z,
      [1.1283792, -0.37612626, 0.11283585, -0.026853812, 0.0051883276, -8.0101925e-4, 7.8538577e-5],
    ),
  );
  const start = polynomial(l, s, [3.4151259e-4, 1.1270892, 0.63814476, 0.10310682]);
  const more = polynomial(l, s, [-0.021838097, 0.0029476668, -1.8638008e-4]);
  const exponent = float(l, l.f.neg(l.f.add(start, l.f.mul(l.f.mul(z(), z()), more))));
  const far = l.f.sub(l.constant(1), expNormal(l, exponent));
  return withSign(l, l.select(l.f.lt(s(), l.constant(1)), near, far), x());
}
