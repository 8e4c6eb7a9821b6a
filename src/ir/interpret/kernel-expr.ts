import type { KExpr, Kernel } from '../kernel.ts';
import { lanesOf } from '../kernel.ts';
import type { Precision } from '../scalar.ts';
import { applyBinary, applyCast, applyUnary, normalise, threefry2x32 } from '../scalar.ts';
import { isFloat } from '../type.ts';

/** Where one invocation stands. The interpreter moves it from invocation to invocation. */
export interface Invocation {
  group: number;
  local: number;
  subgroup: number;
  lane: number;
  /** Values of its names, by slot. */
  slots: Float64Array;
}

/** What closures are made against. */
export interface KernelScope {
  readonly kernel: Kernel;
  readonly precision: Precision;
  readonly at: Invocation;
  readonly uniforms: Readonly<Record<string, number>>;
  /** Elements of a buffer or shared array. Throws where there is none of that name. */
  memory(name: string): Float64Array;
  /** A value of several lanes has a slot for each. */
  slot(name: string, lane?: number): number;
}

type Thunk = () => number;

const builtins: Readonly<Record<Extract<KExpr, { kind: 'builtin' }>['name'], (at: Invocation) => Thunk>> = {
  group: at => () => at.group,
  local: at => () => at.local,
  subgroup: at => () => at.subgroup,
  lane: at => () => at.lane,
};

/** A closure for each lane. */
export function compileLanes(e: KExpr, scope: KernelScope): readonly Thunk[] {
  return Array.from({ length: lanesOf(e) }, (_, lane) => compileKExpr(e, scope, lane));
}

/** Turns an expression, or one lane of it, into a closure over the current invocation. */
export function compileKExpr(e: KExpr, scope: KernelScope, lane = 0): Thunk {
  const { at, precision } = scope;
  const compile = (inner: KExpr): Thunk => compileKExpr(inner, scope, lane);
  switch (e.kind) {
    case 'const':
      return always(normalise(e.value, e.dtype, precision));
    case 'ref': {
      const slot = scope.slot(e.name, lane);
      return () => at.slots[slot]!;
    }
    case 'builtin':
      return builtins[e.name](at);
    case 'uniform': {
      const value = scope.uniforms[e.name];
      if (value === undefined) throw new Error(`${scope.kernel.name}: no value for uniform ${e.name}`);
      return always(normalise(value, e.dtype, precision));
    }
    case 'load':
    case 'load-shared':
      return compileLoad(e, lane, scope);
    case 'unary': {
      const a = compile(e.a);
      const { op, dtype } = e;
      return () => applyUnary(op, a(), dtype, precision);
    }
    case 'binary':
      return compileBinary(e, compile(e.a), compile(e.b), scope);
    case 'select': {
      const [condition, a, b] = [compile(e.condition), compile(e.a), compile(e.b)];
      // Both are evaluated, as on the device: a load that is out of range is a fault in either.
      return () => {
        const x = a();
        const y = b();
        return condition() === 0 ? y : x;
      };
    }
    case 'cast': {
      const a = compile(e.a);
      const { dtype } = e;
      return () => applyCast(a(), dtype, precision, e.a.dtype);
    }
    case 'random': {
      const [key0, key1, counter0, counter1] = e.args.map(compile);
      return () => threefry2x32(key0!(), key1!(), counter0!(), counter1!());
    }
    case 'splat':
      return compileKExpr(e.a, scope);
    case 'lanes':
      return compileKExpr(e.parts[lane]!, scope);
    case 'lane':
      return compileKExpr(e.a, scope, e.lane);
    case 'shuffle': {
      const pick = e.picks[lane]!;
      const own = lanesOf(e.a);
      return pick < own ? compileKExpr(e.a, scope, pick) : compileKExpr(e.b, scope, pick - own);
    }
  }
}

/** The place of one lane, which is checked on every use. */
export function compileIndexOf(
  name: string,
  index: KExpr,
  action: 'load' | 'store',
  scope: KernelScope,
  lane = 0,
  lanes = 1,
): Thunk {
  const { length } = scope.memory(name);
  const at = compileKExpr(index, scope);
  const { buffers, shared } = scope.kernel;
  const inVectors = lanes > 1 && [...buffers, ...shared].some(m => m.name === name && m.vectors);
  return () => {
    const first = at();
    if (inVectors && first % 4 !== 0)
      throw new Error(`${scope.kernel.name}: ${action} ${name}[${first}] of a vector that begins elsewhere`);
    const i = first + lane;
    if (!(i >= 0 && i < length))
      throw new Error(
        `${scope.kernel.name}: ${action} ${name}[${i}] is out of range, it has ${length} elements`,
      );
    return i;
  };
}

function compileLoad(
  e: Extract<KExpr, { kind: 'load' | 'load-shared' }>,
  lane: number,
  scope: KernelScope,
): Thunk {
  const name = e.kind === 'load' ? e.buffer : e.array;
  const memory = scope.memory(name);
  const index = compileIndexOf(name, e.index, 'load', scope, lane, lanesOf(e));
  const read: Thunk =
    isFloat(e.dtype) && scope.precision === 'f32'
      ? () => normalise(memory[index()]!, e.dtype, scope.precision)
      : () => memory[index()]!;
  if (e.kind === 'load-shared' || !e.mask) return read;
  const mask = compileKExpr(e.mask, scope, lane);
  return () => (mask() === 0 ? 0 : read());
}

/** Frequent operations get closures of their own; the others go through the scalar table. */
function compileBinary(e: Extract<KExpr, { kind: 'binary' }>, a: Thunk, b: Thunk, scope: KernelScope): Thunk {
  const { op, dtype } = e;
  const { precision, kernel } = scope;
  if (dtype === 'f32' && precision === 'f32') {
    if (op === 'add') return () => Math.fround(a() + b());
    if (op === 'mul') return () => Math.fround(a() * b());
  } else if (isFloat(dtype) && precision === 'f64') {
    if (op === 'add') return () => a() + b();
    if (op === 'mul') return () => a() * b();
  }
  if (dtype === 'i32') {
    if (op === 'add') return () => (a() + b()) | 0;
    if (op === 'mul') return () => Math.imul(a(), b());
    if (op === 'floordiv' || op === 'mod')
      return () => {
        const [x, y] = [a(), b()];
        if (x < 0 || y < 0)
          throw new Error(`${kernel.name}: ${op} of ${x} and ${y}, which must not be negative`);
        return applyBinary(op, x, y, dtype, precision);
      };
  }
  if (dtype === 'bool' && op === 'and') return () => (a() !== 0 && b() !== 0 ? 1 : 0);
  if (dtype === 'bool' && op === 'or') return () => (a() !== 0 || b() !== 0 ? 1 : 0);
  return () => applyBinary(op, a(), b(), dtype, precision);
}

function always(x: number): Thunk {
  return () => x;
}
