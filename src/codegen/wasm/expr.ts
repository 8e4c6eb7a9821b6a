import type { KExpr } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import { normalise } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat } from '../../ir/type.ts';
import { cast } from './cast.ts';
import type { Ref, Type } from './code.ts';
import type { Lanes } from './lanes.ts';
import { loadRefs, loadSplat } from './memory.ts';
import { binary, keep, unary } from './scalar.ts';
import type { Scope } from './scope.ts';
import { shuffleRefs } from './shuffle.ts';

/** The registers that hold a value: one for a single lane, one for every four. */
export function registers(lanes: number): number {
  return lanes === 1 ? 1 : lanes / 4;
}

/** The type of each. */
export function registerType(dtype: DType, lanes: number, scope: Scope): Type {
  const { b } = scope.code;
  return lanes > 1 ? b.v128 : isFloat(dtype) ? b.f32 : b.i32;
}

/** A value of one lane. */
export function scalarRef(e: KExpr, scope: Scope): Ref {
  return exprRefs(e, scope)[0]!;
}

/** A kernel expression as one value for each of its registers. Statements that it needs come before. */
export function exprRefs(e: KExpr, scope: Scope): Ref[] {
  const lanes = lanesOf(e);
  const count = registers(lanes);
  const l = lanes === 1 ? scope.one : scope.four;
  const inner = (part: KExpr): Ref[] => exprRefs(part, scope);
  switch (e.kind) {
    case 'const':
      return [constant(l, e.value, e.dtype)];
    case 'ref':
      return scope.locals(e.name).map(local => local.get());
    case 'builtin':
      return [e.name === 'group' ? scope.group.get() : l.int(0)];
    case 'uniform':
      return [scope.uniform(e)];
    case 'load':
      return loadRefs(e, e.mask && inner(e.mask), scope);
    case 'load-shared':
      return loadRefs(e, undefined, scope);
    case 'unary':
      return inner(e.a).map(a => unary(l, e.op, a, e.a.dtype, scope.helpers));
    case 'binary': {
      const fused = lanes > 1 && scope.options.relaxed ? multiplyAdd(e, scope) : undefined;
      if (fused) return fused;
      const [a, b] = [inner(e.a), inner(e.b)];
      const known = { a: constantOf(e.a), b: constantOf(e.b) };
      return a.map((x, i) => binary(l, e.op, x, b[i]!, e.a.dtype, known, scope.helpers));
    }
    case 'select': {
      const [condition, a, b] = [inner(e.condition), inner(e.a), inner(e.b)];
      return a.map((x, i) => l.select(condition[i]!, x, b[i]!));
    }
    case 'cast':
      return inner(e.a).map(a => cast(l, a, e.a.dtype, e.dtype));
    case 'random': {
      const args = e.args.map(inner);
      return Array.from({ length: count }, (_, i) =>
        scope.helpers.call(
          'random',
          l,
          args.map(arg => arg[i]!),
        ),
      );
    }
    case 'splat':
      return splat(e, count, scope);
    case 'lanes':
      return Array.from({ length: count }, (_, i) => joined(e.parts.slice(4 * i, 4 * i + 4), scope));
    case 'lane':
      return [extract(inner(e.a)[Math.floor(e.lane / 4)]!, e.lane % 4, e.dtype, scope)];
    case 'shuffle':
      return shuffleRefs(
        scope.code,
        [...inner(e.a), ...inner(e.b)].map(r => keep(scope.four, r, e.dtype)),
        e.picks,
      );
  }
}

function constant(l: Lanes, value: number, dtype: DType): Ref {
  const own = normalise(value, dtype, 'f32');
  if (dtype === 'bool' && l.count === 4) return l.int(own === 0 ? 0 : -1);
  return isFloat(dtype) ? l.constant(own) : l.int(own);
}

/** The number that an expression always is, in every lane. */
function constantOf(e: KExpr): number | undefined {
  if (e.kind === 'splat') return constantOf(e.a);
  return e.kind === 'const' ? normalise(e.value, e.dtype, 'f32') : undefined;
}

function splat(e: Extract<KExpr, { kind: 'splat' }>, count: number, scope: Scope): Ref[] {
  const { a } = e;
  if (a.kind === 'const') return Array.from({ length: count }, () => constant(scope.four, a.value, a.dtype));
  const fromMemory = a.kind === 'load' || a.kind === 'load-shared' ? loadSplat(a, scope) : undefined;
  const whole = fromMemory ?? wide(scalarRef(a, scope), a.dtype, scope);
  if (count === 1) return [whole];
  const kept = scope.code.keep(whole, scope.code.b.v128);
  return Array.from({ length: count }, kept);
}

function wide(value: Ref, dtype: DType, scope: Scope): Ref {
  const { m } = scope.code;
  if (isFloat(dtype)) return m.f32x4.splat(value);
  return m.i32x4.splat(dtype === 'bool' ? m.i32.sub(m.i32.const(0), value) : value);
}

function joined(parts: readonly KExpr[], scope: Scope): Ref {
  const { m } = scope.code;
  const { dtype } = parts[0]!;
  return parts.reduce<Ref>((vector, part, lane) => {
    const value = scalarRef(part, scope);
    if (lane === 0) return wide(value, dtype, scope);
    if (isFloat(dtype)) return m.f32x4.replace_lane(vector, lane, value);
    const word = dtype === 'bool' ? m.i32.sub(m.i32.const(0), value) : value;
    return m.i32x4.replace_lane(vector, lane, word);
  }, 0);
}

function extract(vector: Ref, lane: number, dtype: DType, scope: Scope): Ref {
  const { m } = scope.code;
  if (isFloat(dtype)) return m.f32x4.extract_lane(vector, lane);
  const word = m.i32x4.extract_lane(vector, lane);
  return dtype === 'bool' ? m.i32.and(word, m.i32.const(1)) : word;
}

/** a b + c in one instruction, which may round once or twice. */
function multiplyAdd(e: Extract<KExpr, { kind: 'binary' }>, scope: Scope): Ref[] | undefined {
  if (e.op !== 'add' || e.dtype !== 'f32') return undefined;
  const [product, addend] = isProduct(e.a) ? [e.a, e.b] : isProduct(e.b) ? [e.b, e.a] : [];
  if (!product || !addend) return undefined;
  const [a, b, c] = [product.a, product.b, addend].map(part => exprRefs(part, scope));
  const { code } = scope;
  return a!.map((x, i) =>
    // Not in the declarations of the package.
    (code.b as unknown as RelaxedSimd)._BinaryenSIMDTernary(
      (code.m as unknown as { ptr: number }).ptr,
      (code.b as unknown as RelaxedSimd).RelaxedMaddVecF32x4,
      x,
      b![i]!,
      c![i]!,
    ),
  );
}

interface RelaxedSimd {
  readonly RelaxedMaddVecF32x4: number;
  _BinaryenSIMDTernary(module: number, op: number, a: Ref, b: Ref, c: Ref): Ref;
}

function isProduct(e: KExpr): e is Extract<KExpr, { kind: 'binary' }> {
  return e.kind === 'binary' && e.op === 'mul';
}
