import type { Code, Get, Local, Module, Ref, Type } from './code.ts';

type Floats = Pick<
  Module['f32x4'],
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'nearest'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
>;
type Ints = Pick<
  Module['i32x4'],
  | 'add'
  | 'sub'
  | 'mul'
  | 'shl'
  | 'shr_s'
  | 'shr_u'
  | 'eq'
  | 'ne'
  | 'lt_s'
  | 'lt_u'
  | 'le_s'
  | 'le_u'
  | 'gt_s'
  | 'gt_u'
  | 'ge_s'
  | 'ge_u'
>;
type Bits = Pick<Module['v128'], 'and' | 'or' | 'xor'>;

/**
 * Arithmetic on one number or on four at once, so that a formula is written once for both. Floats are f32, ints are 32
 * bits; a mask is 0 or 1 for one number and all bits of each lane for four.
 */
export interface Lanes {
  readonly code: Code;
  readonly count: 1 | 4;
  readonly floatType: Type;
  readonly intType: Type;
  readonly f: Floats;
  readonly i: Ints;
  readonly bits: Bits;
  constant(value: number): Ref;
  int(value: number): Ref;
  /** A mask that fails. */
  not(mask: Ref): Ref;
  /** `a` where the mask holds, else `b`; neither may have effects. */
  select(mask: Ref, a: Ref, b: Ref): Ref;
  /** 1 where the mask holds, else 0. */
  maskToInt(mask: Ref): Ref;
  /** The bits of floats as ints, and back. */
  toBits(a: Ref): Ref;
  fromBits(a: Ref): Ref;
  /** The smaller; NaN where `a` is. `bound` is a number. */
  atMost(a: Ref, bound: number): Ref;
  atLeast(a: Ref, bound: number): Ref;
  /** Towards zero; what is out of range becomes the last in it, NaN 0. */
  truncate(a: Ref, signed: boolean): Ref;
  convert(a: Ref, signed: boolean): Ref;
  minInt(a: Ref, b: Ref, signed: boolean): Ref;
  maxInt(a: Ref, b: Ref, signed: boolean): Ref;
  absInt(a: Ref): Ref;
  /** Calls a function of one number for every lane: its floats, or ints, become the result's. */
  lanewise(args: readonly Ref[], of: LaneKind, to: LaneKind, body: (...args: Get[]) => Ref): Ref;
  /** Overwrites the lanes of `result` where the mask holds: a case that is rare. */
  patch(mask: Ref, result: Local, x: Get, body: (x: Get) => Ref): void;
}

export type LaneKind = 'float' | 'int';

/** One number. */
export function oneLane(code: Code): Lanes {
  const { m, b } = code;
  const pick = (a: Ref, c: Ref, holds: (x: Ref, y: Ref) => Ref): Ref => {
    const [x, y] = [code.keep(a, b.i32), code.keep(c, b.i32)];
    return m.select(holds(x(), y()), x(), y());
  };
  return {
    code,
    count: 1,
    floatType: b.f32,
    intType: b.i32,
    f: m.f32,
    i: m.i32,
    bits: m.i32,
    constant: value => m.f32.const(value),
    int: value => m.i32.const(value | 0),
    not: mask => m.i32.eqz(mask),
    select: (mask, a, c) => m.select(mask, a, c),
    maskToInt: mask => mask,
    toBits: a => m.i32.reinterpret(a),
    fromBits: a => m.f32.reinterpret(a),
    atMost: (a, bound) => m.f32.min(a, m.f32.const(bound)),
    atLeast: (a, bound) => m.f32.max(a, m.f32.const(bound)),
    truncate: (a, signed) => (signed ? m.i32.trunc_s_sat.f32(a) : m.i32.trunc_u_sat.f32(a)),
    convert: (a, signed) => (signed ? m.f32.convert_s.i32(a) : m.f32.convert_u.i32(a)),
    minInt: (a, c, signed) => pick(a, c, signed ? m.i32.lt_s : m.i32.lt_u),
    maxInt: (a, c, signed) => pick(a, c, signed ? m.i32.gt_s : m.i32.gt_u),
    absInt: a => {
      const x = code.keep(a, b.i32);
      const sign = code.keep(m.i32.shr_s(x(), m.i32.const(31)), b.i32);
      return m.i32.sub(m.i32.xor(x(), sign()), sign());
    },
    lanewise: (args, of, _, body) => body(...args.map(a => code.keep(a, of === 'float' ? b.f32 : b.i32))),
    patch: (mask, result, x, body) =>
      code.push(
        m.if(
          mask,
          code.block(() => code.push(result.set(body(x)))),
        ),
      ),
  };
}

/** Four numbers in a v128. */
export function fourLanes(code: Code): Lanes {
  const { m, b } = code;
  const lane = (of: LaneKind, a: Ref, at: number): Ref =>
    (of === 'float' ? m.f32x4 : m.i32x4).extract_lane(a, at);
  return {
    code,
    count: 4,
    floatType: b.v128,
    intType: b.v128,
    f: m.f32x4,
    i: m.i32x4,
    bits: m.v128,
    constant: value => m.v128.const(bytesOf(new Float32Array(4).fill(value))),
    int: value => m.v128.const(bytesOf(new Int32Array(4).fill(value | 0))),
    not: mask => m.v128.not(mask),
    select: (mask, a, c) => m.v128.bitselect(a, c, mask),
    maskToInt: mask => m.i32x4.neg(mask),
    toBits: a => a,
    fromBits: a => a,
    atMost: (a, bound) => m.f32x4.pmin(a, m.v128.const(bytesOf(new Float32Array(4).fill(bound)))),
    atLeast: (a, bound) => m.f32x4.pmax(a, m.v128.const(bytesOf(new Float32Array(4).fill(bound)))),
    truncate: (a, signed) => (signed ? m.i32x4.trunc_sat_f32x4_s(a) : m.i32x4.trunc_sat_f32x4_u(a)),
    convert: (a, signed) => (signed ? m.f32x4.convert_i32x4_s(a) : m.f32x4.convert_i32x4_u(a)),
    minInt: (a, c, signed) => (signed ? m.i32x4.min_s(a, c) : m.i32x4.min_u(a, c)),
    maxInt: (a, c, signed) => (signed ? m.i32x4.max_s(a, c) : m.i32x4.max_u(a, c)),
    absInt: a => m.i32x4.abs(a),
    lanewise: (args, of, to, body) => {
      const kept = args.map(a => code.keep(a, b.v128));
      const scalar = of === 'float' ? b.f32 : b.i32;
      const target = to === 'float' ? m.f32x4 : m.i32x4;
      let result: Ref | undefined;
      for (let at = 0; at < 4; at++) {
        const value = body(...kept.map(a => code.keep(lane(of, a(), at), scalar)));
        result = result === undefined ? target.splat(value) : target.replace_lane(result, at, value);
      }
      return result!;
    },
    patch: (mask, result, x, body) => {
      const kept = code.keep(mask, b.v128);
      const some = code.block(() => {
        for (let at = 0; at < 4; at++)
          code.push(
            m.if(
              m.i32x4.extract_lane(kept(), at),
              code.block(() => {
                const own = code.keep(lane('float', x(), at), b.f32);
                code.push(result.set(m.f32x4.replace_lane(result.get(), at, body(own))));
              }),
            ),
          );
      });
      code.push(m.if(m.v128.any_true(kept()), some));
    },
  };
}

export function bytesOf(words: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(words.buffer);
}
