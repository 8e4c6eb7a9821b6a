import type { KExpr, Stmt } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import { isFloat } from '../../ir/type.ts';
import type { Get, Ref } from './code.ts';
import { scalarRef } from './expr.ts';
import { fromHalf, toHalf } from './math/half.ts';
import { int } from './math/polynomial.ts';
import type { Memory, Scope } from './scope.ts';

interface Address {
  readonly ptr: Ref;
  /** The immediate of the instruction. */
  readonly offset: number;
}

/** i = rest + constant */
function splitIndex(e: KExpr): { rest?: KExpr; constant: number } {
  if (e.kind === 'const') return { constant: e.value };
  if (e.kind === 'binary' && e.b.kind === 'const' && (e.op === 'add' || e.op === 'sub')) {
    const { rest, constant } = splitIndex(e.a);
    const sum = constant + (e.op === 'add' ? e.b.value : -e.b.value);
    return rest ? { rest, constant: sum } : { constant: sum };
  }
  return { rest: e, constant: 0 };
}

/** Addresses do not wrap around where an immediate is added: what is negative is added before. */
function address(memory: Memory, index: KExpr, scope: Scope): Address {
  const { i32 } = scope.code.m;
  const { base, elementBytes, offset } = memory;
  const { rest, constant } = splitIndex(index);
  const bytes = constant * elementBytes;
  if (!rest) return { ptr: base(), offset: offset + bytes };
  const shift = Math.log2(elementBytes);
  const scaled = (e: Ref): Ref => (shift === 0 ? e : i32.shl(e, i32.const(shift)));
  if (bytes >= 0 && scope.isNotNegative(rest))
    return { ptr: i32.add(base(), scaled(scalarRef(rest, scope))), offset: offset + bytes };
  const start = i32.add(base(), i32.const(offset + bytes));
  return { ptr: i32.add(start, scaled(scalarRef(rest, scope))), offset: 0 };
}

type Load = Extract<KExpr, { kind: 'load' | 'load-shared' }>;

const memoryOf = (e: Load, scope: Scope): Memory => scope.memory(e.kind === 'load' ? e.buffer : e.array);

/** One element, or as many as the expression has lanes, four to each result. */
export function loadRefs(e: Load, masks: readonly Ref[] | undefined, scope: Scope): Ref[] {
  const memory = memoryOf(e, scope);
  const lanes = lanesOf(e);
  const at = address(memory, e.index, scope);
  if (lanes === 1) return [masks ? maskedOne(memory, at, masks[0]!, scope) : readOne(memory, at, scope)];
  const ptr = lanes === 4 && !masks ? undefined : scope.code.keep(at.ptr, scope.code.b.i32);
  return Array.from({ length: lanes / 4 }, (_, i) => {
    const part: Address = {
      ptr: ptr ? ptr() : at.ptr,
      offset: at.offset + 4 * i * memory.elementBytes,
    };
    if (!masks) return readFour(memory, part, scope);
    return maskedFour(memory, part, masks[i]!, scope);
  });
}

/**
 * Four elements of which some may be read. Where one of them may, its neighbours lie within the memory too, because
 * the runtime leaves room at both ends; where none may, the address may be anything and another is read instead.
 */
function maskedFour(memory: Memory, at: Address, mask: Ref, scope: Scope): Ref {
  const { m, b } = scope.code;
  const kept = scope.code.keep(mask, b.v128);
  const start = at.offset === 0 ? at.ptr : m.i32.add(at.ptr, m.i32.const(at.offset));
  const ptr = m.select(m.v128.any_true(kept()), start, memory.base());
  const value = readFour(memory, { ptr, offset: 0 }, scope);
  return m.v128.and(value, kept());
}

function maskedOne(memory: Memory, at: Address, mask: Ref, scope: Scope): Ref {
  const { code, one } = scope;
  const result = code.local(isFloat(memory.dtype) ? one.floatType : one.intType);
  code.push(result.set(isFloat(memory.dtype) ? one.constant(0) : one.int(0)));
  const read = code.block(() => code.push(result.set(readOne(memory, at, scope))));
  code.push(code.m.if(mask, read));
  return result.get();
}

function readOne({ dtype }: Memory, { ptr, offset }: Address, scope: Scope): Ref {
  const { m } = scope.code;
  switch (dtype) {
    case 'f32':
      return m.f32.load(offset, 4, ptr);
    case 'i32':
    case 'u32':
      return m.i32.load(offset, 4, ptr);
    case 'bool':
      return m.i32.ne(m.i32.load(offset, 4, ptr), m.i32.const(0));
    case 'u8':
      return m.i32.load8_u(offset, 1, ptr);
    case 'f16':
      return fromHalf(scope.one, int(scope.one, m.i32.load16_u(offset, 2, ptr)));
  }
}

function readFour({ dtype }: Memory, { ptr, offset }: Address, scope: Scope): Ref {
  const { m } = scope.code;
  switch (dtype) {
    case 'f32':
    case 'i32':
    case 'u32':
      return m.v128.load(offset, 4, ptr);
    case 'bool':
      return m.i32x4.ne(m.v128.load(offset, 4, ptr), scope.four.int(0));
    case 'u8':
      return m.i32x4.extend_low_i16x8_u(m.i16x8.extend_low_i8x16_u(m.v128.load32_zero(offset, 1, ptr)));
    case 'f16':
      return fromHalf(scope.four, int(scope.four, m.v128.load16x4_u(offset, 2, ptr)));
  }
}

/** The same element in all lanes. */
export function loadSplat(e: Load, scope: Scope): Ref | undefined {
  const memory = memoryOf(e, scope);
  if (memory.elementBytes !== 4 || memory.dtype === 'bool' || (e.kind === 'load' && e.mask)) return undefined;
  const { ptr, offset } = address(memory, e.index, scope);
  return scope.code.m.v128.load32_splat(offset, 4, ptr);
}

type Store = Extract<Stmt, { kind: 'store' | 'store-shared' }>;

export function storeRefs(s: Store, values: readonly Ref[], scope: Scope): Ref[] {
  const memory = scope.memory(s.kind === 'store' ? s.buffer : s.array);
  const { b } = scope.code;
  const at = address(memory, s.index, scope);
  if (lanesOf(s.value) === 1) return [writeOne(memory, at, values[0]!, scope)];
  if (values.length === 1) return [writeFour(memory, at, values[0]!, scope)];
  // All lanes are computed before the first is written.
  const kept: Get[] = values.map(value => scope.code.keep(value, b.v128));
  const ptr = scope.code.keep(at.ptr, b.i32);
  return kept.map((value, i) =>
    writeFour(memory, { ptr: ptr(), offset: at.offset + 4 * i * memory.elementBytes }, value(), scope),
  );
}

function writeOne({ dtype }: Memory, { ptr, offset }: Address, value: Ref, scope: Scope): Ref {
  const { m, b } = scope.code;
  if (dtype === 'f32') return m.f32.store(offset, 4, ptr, value);
  if (dtype === 'f16') return m.i32.store16(offset, 2, ptr, toHalf(scope.one, scope.code.keep(value, b.f32)));
  return m.i32.store(offset, 4, ptr, value);
}

function writeFour({ dtype }: Memory, { ptr, offset }: Address, value: Ref, scope: Scope): Ref {
  const { m, b } = scope.code;
  if (dtype === 'bool') return m.v128.store(offset, 4, ptr, scope.four.maskToInt(value));
  if (dtype !== 'f16') return m.v128.store(offset, 4, ptr, value);
  const bits = toHalf(scope.four, scope.code.keep(value, b.v128));
  const packed = m.i16x8.narrow_i32x4_u(bits, scope.four.int(0));
  return m.v128.store64_lane(offset, 2, 0, ptr, packed);
}
