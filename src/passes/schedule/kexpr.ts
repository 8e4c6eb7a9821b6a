import type { KExpr } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import { applyBinary, type BinaryOp, isComparison, type UnaryOp } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { Onto } from '../../support/onto.ts';

/** Constructors of kernel expressions; they fold constants, so that generated code has none left. */
export function constant(value: number, dtype: DType): KExpr {
  return { kind: 'const', dtype, value };
}

export const int = (value: number): KExpr => constant(value, 'i32');

export const ref = (name: string, dtype: DType = 'i32', lanes = 1): Extract<KExpr, { kind: 'ref' }> => ({
  kind: 'ref',
  dtype,
  name,
  ...several(lanes),
});

export function uniform(dtype: DType, name: string): KExpr {
  return { kind: 'uniform', dtype, name };
}

export function builtin(name: Extract<KExpr, { kind: 'builtin' }>['name']): KExpr {
  return { kind: 'builtin', dtype: 'i32', name };
}

export function isLeaf(e: KExpr): boolean {
  return e.kind === 'const' || e.kind === 'ref' || e.kind === 'builtin' || e.kind === 'uniform';
}

const isInt = (e: KExpr, value: number): boolean =>
  e.kind === 'const' && e.dtype === 'i32' && e.value === value;

/** The property `lanes`, which values of one lane do without. */
export const several = (lanes: number): { readonly lanes?: number } => (lanes === 1 ? {} : { lanes });

/** The same scalar in so many lanes; what has them already stays. */
export function splat(a: KExpr, lanes: number): KExpr {
  return lanesOf(a) === lanes ? a : { kind: 'splat', dtype: a.dtype, lanes, a };
}

/** One scalar for each lane. */
export function lanes(parts: readonly KExpr[]): KExpr {
  const first = parts[0]!;
  if (parts.every(part => part === first || key(part) === key(first))) return splat(first, parts.length);
  return { kind: 'lanes', dtype: first.dtype, lanes: parts.length, parts };
}

export function lane(a: KExpr, at: number): KExpr {
  if (lanesOf(a) === 1) return a;
  if (a.kind === 'splat') return a.a;
  if (a.kind === 'lanes') return a.parts[at]!;
  if (a.kind === 'shuffle') {
    const pick = a.picks[at]!;
    return pick < lanesOf(a.a) ? lane(a.a, pick) : lane(a.b, pick - lanesOf(a.a));
  }
  return { kind: 'lane', dtype: a.dtype, a, lane: at };
}

/** Lanes of `a`, counted from 0, and of `b`, which count on. */
export function shuffle(a: KExpr, b: KExpr, picks: readonly number[]): KExpr {
  if (picks.length === lanesOf(a) && picks.every((pick, i) => pick === i)) return a;
  return { kind: 'shuffle', dtype: a.dtype, lanes: picks.length, a, b, picks };
}

/** What is the same in all lanes is worked out in one: `make` gets the scalars, where all operands are splats. */
function once(operands: readonly KExpr[], make: (...scalars: KExpr[]) => KExpr): KExpr | undefined {
  const count = Math.max(...operands.map(lanesOf));
  if (count === 1) return undefined;
  const scalars = operands.map(scalarOf);
  return scalars.every(e => lanesOf(e) === 1) ? splat(make(...scalars), count) : undefined;
}

const scalarOf = (e: KExpr): KExpr => (e.kind === 'splat' ? e.a : e);

export function unary(op: UnaryOp, a: KExpr): KExpr {
  const dtype = op === 'not' ? 'bool' : a.dtype;
  return once([a], x => unary(op, x!)) ?? { kind: 'unary', dtype, op, a, ...several(lanesOf(a)) };
}

/** Where one operand has one lane and the other several, it is the same for all of them. */
export function binary(op: BinaryOp, a: KExpr, b: KExpr): KExpr {
  const count = Math.max(lanesOf(a), lanesOf(b));
  if (count > 1)
    return (
      once([a, b], (x, y) => binary(op, x!, y!)) ??
      splat(binaryOf(op, scalarConstant(a), scalarConstant(b), count), count)
    );
  return binaryOf(op, a, b, 1);
}

/** Constants are looked at as scalars. */
const scalarConstant = (e: KExpr): KExpr => (scalarOf(e).kind === 'const' ? scalarOf(e) : e);

function binaryOf(op: BinaryOp, a: KExpr, b: KExpr, count: number): KExpr {
  const dtype = isComparison(op) ? 'bool' : a.dtype;
  // Only the extent of an empty axis divides by 0, and what stands under it never runs.
  if ((op === 'floordiv' || op === 'mod') && isInt(b, 0)) return int(0);
  if (a.kind === 'const' && b.kind === 'const' && a.dtype === 'i32')
    return constant(applyBinary(op, a.value, b.value, dtype, 'f32'), dtype);
  if (op === 'add' && isInt(a, 0)) return b;
  if ((op === 'add' || op === 'sub') && isInt(b, 0)) return a;
  if (op === 'mul' && isInt(a, 1)) return b;
  if ((op === 'mul' || op === 'floordiv') && isInt(b, 1)) return a;
  if (op === 'mul' && (isInt(a, 0) || isInt(b, 0))) return int(0);
  if (op === 'mod' && isInt(b, 1)) return int(0);
  if (op === 'and' && dtype === 'bool' && a.kind === 'const') return a.value === 0 ? a : b;
  if (op === 'and' && dtype === 'bool' && b.kind === 'const') return b.value === 0 ? b : a;
  return { kind: 'binary', dtype, op, a: splat(a, count), b: splat(b, count), ...several(count) };
}

export function select(condition: KExpr, a: KExpr, b: KExpr): KExpr {
  const fixed = scalarOf(condition);
  if (fixed.kind === 'const')
    return splat(fixed.value === 0 ? b : a, Math.max(lanesOf(condition), lanesOf(a), lanesOf(b)));
  const count = Math.max(lanesOf(condition), lanesOf(a), lanesOf(b));
  const same = once([condition, a, b], (c, x, y) => select(c!, x!, y!));
  if (same) return same;
  return {
    kind: 'select',
    dtype: a.dtype,
    condition: splat(condition, count),
    a: splat(a, count),
    b: splat(b, count),
    ...several(count),
  };
}

export function cast(dtype: DType, a: KExpr): KExpr {
  if (a.dtype === dtype) return a;
  return once([a], x => cast(dtype, x!)) ?? { kind: 'cast', dtype, a, ...several(lanesOf(a)) };
}

/** Four u32: key0, key1, counter0, counter1. */
export function random(args: readonly KExpr[]): KExpr {
  const count = Math.max(...args.map(lanesOf));
  const all = args.map(a => splat(a, count)) as [KExpr, KExpr, KExpr, KExpr];
  return { kind: 'random', dtype: 'u32', args: all, ...several(count) };
}

/** factor * a; a missing `a` is 1. */
export function scale(a: KExpr | undefined, factor: number): KExpr {
  if (!a) return int(factor);
  return binary('mul', a, int(factor));
}

/** What a sum adds up; terms that it takes away come multiplied by -1. */
export function terms(e: KExpr): KExpr[] {
  if (e.kind !== 'binary' || e.dtype !== 'i32' || lanesOf(e) > 1) return [e];
  if (e.op === 'add') return [...terms(e.a), ...terms(e.b)];
  if (e.op === 'sub') return [...terms(e.a), ...terms(e.b).map(b => scale(b, -1))];
  return [e];
}

/** Sum of i32 terms with the constants last and subtraction where a term is negative. */
export function sum(terms: readonly KExpr[]): KExpr {
  let offset = 0;
  let total: KExpr | undefined;
  const negative: KExpr[] = [];
  const visit = (e: KExpr): void => {
    if (e.kind === 'const') offset += e.value;
    else if (e.kind === 'binary' && e.op === 'add') {
      visit(e.a);
      visit(e.b);
    } else if (e.kind === 'binary' && e.op === 'sub' && e.b.kind === 'const') {
      visit(e.a);
      offset -= e.b.value;
    } else if (e.kind === 'binary' && e.op === 'mul' && e.b.kind === 'const' && e.b.value < 0)
      negative.push(scale(e.a, -e.b.value));
    else total = total ? binary('add', total, e) : e;
  };
  for (const term of terms) visit(term);
  for (const e of negative) total = binary('sub', total ?? int(0), e);
  if (!total) return int(offset);
  return offset < 0 ? binary('sub', total, int(-offset)) : binary('add', total, int(offset));
}

/** Floor division or remainder for operands of any sign, out of WGSL's division, which truncates. `bind` names what is used twice. */
export function floorDivision(
  op: 'floordiv' | 'mod',
  a: KExpr,
  b: KExpr,
  bind: (wish: string, value: KExpr) => KExpr,
): KExpr {
  const zero = int(0);
  const [x, y] = [bind('dividend', a), bind('divisor', b)];
  const quotient = bind('quotient', binary('div', x, y));
  const rest = bind('rest', binary('sub', x, binary('mul', quotient, y)));
  // The truncated quotient is one too large where the remainder has not the divisor's sign.
  const isOff =
    y.kind === 'const'
      ? binary(y.value > 0 ? 'lt' : 'gt', rest, zero)
      : binary('lt', select(binary('lt', y, zero), binary('sub', zero, rest), rest), zero);
  return op === 'floordiv'
    ? binary('sub', quotient, select(isOff, int(1), zero))
    : binary('add', rest, select(isOff, y, zero));
}

class Notes extends Onto {
  #key: string | undefined;

  static key(e: KExpr): string {
    const notes = #key in e ? e : (new Notes(e) as Notes & KExpr);
    return (notes.#key ??= makeKey(e));
  }
}

/** Equal for equal expressions. */
export function key(e: KExpr): string {
  return Notes.key(e);
}

function makeKey(e: KExpr): string {
  switch (e.kind) {
    case 'const':
      return `${Object.is(e.value, -0) ? '-0' : e.value}${e.dtype}`;
    case 'ref':
      return e.name;
    case 'builtin':
      return `$${e.name}`;
    case 'uniform':
      return `%${e.name}`;
    case 'load':
      return `${e.buffer}[${key(e.index)}${laneKey(e)}${e.mask ? `if${key(e.mask)}` : ''}]`;
    case 'load-shared':
      return `${e.array}[${key(e.index)}${laneKey(e)}]`;
    case 'unary':
      return `${e.op}(${key(e.a)})`;
    case 'binary':
      return `${e.op}(${key(e.a)},${key(e.b)})`;
    case 'select':
      return `?(${key(e.condition)},${key(e.a)},${key(e.b)})`;
    case 'cast':
      return `${e.dtype}(${key(e.a)})`;
    case 'random':
      return `rnd(${e.args.map(key).join()})`;
    case 'splat':
      return `splat${e.lanes}(${key(e.a)})`;
    case 'lanes':
      return `lanes(${e.parts.map(key).join()})`;
    case 'lane':
      return `lane${e.lane}(${key(e.a)})`;
    case 'shuffle':
      return `shuffle${e.picks.join('_')}(${key(e.a)},${key(e.b)})`;
  }
}

const laneKey = (e: KExpr): string => (lanesOf(e) === 1 ? '' : `:${lanesOf(e)}`);
