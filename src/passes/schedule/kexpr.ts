import type { KExpr } from '../../ir/kernel.ts';
import { applyBinary, type BinaryOp, isComparison } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { Onto } from '../../support/onto.ts';

/** Constructors of kernel expressions; they fold constants, so that generated code has none left. */
export function constant(value: number, dtype: DType): KExpr {
  return { kind: 'const', dtype, value };
}

export const int = (value: number): KExpr => constant(value, 'i32');

export const ref = (name: string, dtype: DType = 'i32'): KExpr => ({ kind: 'ref', dtype, name });

export function uniform(dtype: DType, name: string): KExpr {
  return { kind: 'uniform', dtype, name };
}

export function builtin(name: 'group' | 'local' | 'lane'): KExpr {
  return { kind: 'builtin', dtype: 'i32', name };
}

export function isLeaf(e: KExpr): boolean {
  return e.kind === 'const' || e.kind === 'ref' || e.kind === 'builtin' || e.kind === 'uniform';
}

const isInt = (e: KExpr, value: number): boolean =>
  e.kind === 'const' && e.dtype === 'i32' && e.value === value;

export function binary(op: BinaryOp, a: KExpr, b: KExpr): KExpr {
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
  return { kind: 'binary', dtype, op, a, b };
}

export function select(condition: KExpr, a: KExpr, b: KExpr): KExpr {
  if (condition.kind === 'const') return condition.value === 0 ? b : a;
  return { kind: 'select', dtype: a.dtype, condition, a, b };
}

export function cast(dtype: DType, a: KExpr): KExpr {
  return a.dtype === dtype ? a : { kind: 'cast', dtype, a };
}

/** factor * a; a missing `a` is 1. */
export function scale(a: KExpr | undefined, factor: number): KExpr {
  if (!a) return int(factor);
  return binary('mul', a, int(factor));
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
      return `${e.value}${e.dtype}`;
    case 'ref':
      return e.name;
    case 'builtin':
      return `$${e.name}`;
    case 'uniform':
      return `%${e.name}`;
    case 'load':
      return `${e.buffer}[${key(e.index)}]`;
    case 'load-shared':
      return `${e.array}[${key(e.index)}]`;
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
  }
}
