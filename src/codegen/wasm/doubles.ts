import type { Get, Module, Ref, Type } from './code.ts';
import type { Lanes } from './lanes.ts';

type Arithmetic = Pick<
  Module['f64x2'],
  'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'floor' | 'nearest' | 'lt' | 'gt' | 'eq'
>;

/** f64 arithmetic for what f32 is too coarse for: one f64, or the two halves of four lanes one after the other. */
export interface Doubles {
  readonly type: Type;
  readonly f: Arithmetic;
  readonly i: Pick<Module['i64x2'], 'add' | 'sub' | 'shl' | 'shr_s' | 'shr_u'>;
  constant(value: number): Ref;
  /** Floats in the same bits, and back. */
  toBits(a: Ref): Ref;
  fromBits(a: Ref): Ref;
  and(bits: Ref, mask: bigint): Ref;
  or(bits: Ref, mask: bigint): Ref;
  bits(value: bigint): Ref;
  select(mask: Ref, a: Ref, b: Ref): Ref;
  keep(value: Ref): Get;
}

export function doubles(l: Lanes): Doubles {
  const { m, b } = l.code;
  if (l.count === 1)
    return {
      type: b.f64,
      f: m.f64,
      i: m.i64,
      constant: value => m.f64.const(value),
      toBits: a => m.i64.reinterpret(a),
      fromBits: a => m.f64.reinterpret(a),
      and: (bits, mask) => m.i64.and(bits, m.i64.const(mask)),
      or: (bits, mask) => m.i64.or(bits, m.i64.const(mask)),
      bits: value => m.i64.const(value),
      select: (mask, a, c) => m.select(mask, a, c),
      keep: value => l.code.keep(value, b.f64),
    };
  const words = (value: bigint): Ref =>
    m.v128.const(new Uint8Array(new BigUint64Array([value, value].map(v => BigInt.asUintN(64, v))).buffer));
  return {
    type: b.v128,
    f: m.f64x2,
    i: m.i64x2,
    constant: value => m.v128.const(new Uint8Array(new Float64Array([value, value]).buffer)),
    toBits: a => a,
    fromBits: a => a,
    and: (bits, mask) => m.v128.and(bits, words(mask)),
    or: (bits, mask) => m.v128.or(bits, words(mask)),
    bits: words,
    select: (mask, a, c) => m.v128.bitselect(a, c, mask),
    keep: value => l.code.keep(value, b.v128),
  };
}

/** Shift distances are i32 for vectors and of the operands' type for one number. */
export function shiftBy(l: Lanes, distance: number): Ref {
  return l.count === 1 ? l.code.m.i64.const(BigInt(distance)) : l.code.m.i32.const(distance);
}

/** Applies `body` to each half of the operands as f64, and gives what it made of each. */
export function inDoubles(l: Lanes, operands: readonly Get[], body: (...halves: Get[]) => Ref): Get[] {
  const { m, b } = l.code;
  const d = doubles(l);
  if (l.count === 1) return [d.keep(body(...operands.map(x => d.keep(m.f64.promote(x())))))];
  const high = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
  return [false, true].map(isHigh =>
    l.code.keep(
      body(
        ...operands.map(x =>
          d.keep(m.f64x2.promote_low_f32x4(isHigh ? m.i8x16.shuffle(x(), x(), high) : x())),
        ),
      ),
      b.v128,
    ),
  );
}

/** Both halves as f32 again. */
export function narrow(l: Lanes, halves: readonly Get[]): Ref {
  const { m } = l.code;
  const [low, high] = halves;
  if (l.count === 1) return m.f32.demote(low!());
  return m.i8x16.shuffle(
    m.f32x4.demote_f64x2_zero(low!()),
    m.f32x4.demote_f64x2_zero(high!()),
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
  );
}

/** The low 32 bits of each f64, as ints. */
export function lowWords(l: Lanes, halves: readonly Get[]): Ref {
  const { m } = l.code;
  const [low, high] = halves;
  if (l.count === 1) return m.i32.wrap(m.i64.reinterpret(low!()));
  return m.i8x16.shuffle(low!(), high!(), [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
}
