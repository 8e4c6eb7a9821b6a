import type { Get, Ref } from '../code.ts';
import type { Lanes } from '../lanes.ts';
import { highOfLn2, lowOfLn2 } from './exp.ts';
import { float, int, polynomial } from './polynomial.ts';

/** x = 2^e m with m from sqrt(1/2) to sqrt(2). x is normal and positive. */
function split(l: Lanes, x: Get): { e: Get; m: Get } {
  const bits = int(l, l.i.sub(l.toBits(x()), l.int(0x3f3504f3)));
  const e = int(l, l.i.shr_s(bits(), l.code.m.i32.const(23)));
  const m = l.i.add(l.bits.and(bits(), l.int(0x007fffff)), l.int(0x3f3504f3));
  return { e, m: float(l, l.fromBits(m)) };
}

/** log(1 + f) + e ln 2: the polynomial of Cephes' logf (S. L. Moshier). */
function joined(l: Lanes, f: Get, e: Ref, correction?: Ref): Ref {
  const count = float(l, l.convert(e, true));
  const z = float(l, l.f.mul(f(), f()));
  const series = polynomial(
    l,
    f,
    [
      3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
      1.167699874e-1, -1.151461031e-1, 7.0376836292e-2,
    ],
  );
  let low = l.f.mul(l.f.mul(f(), z()), series);
  low = l.f.add(low, l.f.mul(count(), l.constant(lowOfLn2)));
  if (correction !== undefined) low = l.f.add(low, correction);
  low = l.f.sub(low, l.f.mul(l.constant(0.5), z()));
  return l.f.add(l.f.add(f(), low), l.f.mul(count(), l.constant(highOfLn2)));
}

/** The value where it is a number: -infinity at 0, NaN below, infinity and NaN as they are. */
function within(l: Lanes, u: Get, value: Ref): Ref {
  const infinite = l.select(l.f.eq(u(), l.constant(0)), l.constant(-Infinity), l.constant(Number.NaN));
  const above = l.f.gt(u(), l.constant(0));
  const large = l.f.lt(u(), l.constant(Infinity));
  const inside = l.select(large, value, u());
  return l.select(above, inside, infinite);
}

export function log(l: Lanes, x: Get): Ref {
  // Numbers that are not normal are brought among those that are.
  const isTiny = l.code.keep(l.f.lt(x(), l.constant(2 ** -126)), l.intType);
  const scaled = float(l, l.select(isTiny(), l.f.mul(x(), l.constant(2 ** 23)), x()));
  const { e, m } = split(l, scaled);
  const f = float(l, l.f.sub(m(), l.constant(1)));
  const exponent = l.i.sub(e(), l.select(isTiny(), l.int(23), l.int(0)));
  return within(l, x, joined(l, f, exponent));
}

/** As log(u) with u = 1 + x, and what the sum has rounded away, over u. Near 0 it is the polynomial of x itself. */
export function log1p(l: Lanes, x: Get): Ref {
  const u = float(l, l.f.add(x(), l.constant(1)));
  const { e, m } = split(l, u);
  const isNear = l.code.keep(l.i.eq(e(), l.int(0)), l.intType);
  const f = float(l, l.select(isNear(), x(), l.f.sub(m(), l.constant(1))));
  const lost = l.f.div(l.f.sub(x(), l.f.sub(u(), l.constant(1))), u());
  const correction = l.select(isNear(), l.constant(0), lost);
  const value = float(l, joined(l, f, e(), correction));
  // -0, and what is too small for a square.
  const isSmall = l.f.lt(l.f.abs(x()), l.constant(2 ** -30));
  return within(l, u, l.select(isSmall, x(), value()));
}
