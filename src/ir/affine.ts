import { Onto } from '../support/onto.ts';
import type { Axis, Expr, Index, IndexOp } from './compute.ts';
import type { Dim } from './dim.ts';
import * as D from './dim.ts';
import { exprKey } from './expr.ts';

/**
 * Constructors for `Index` that keep a normal form: a sum of (dim * atom) in a fixed order plus a constant,
 * where atoms are axes, computed values and the non-linear operations. Equal linear indices are then equal trees.
 */
interface Linear {
  readonly terms: readonly { readonly atom: Index; readonly key: string; readonly coefficient: Dim }[];
  readonly offset: Dim;
}

let nextAxis = 0;

/** The number that stands for an axis' identity in keys. */
class Numbered extends Onto {
  readonly #id = nextAxis++;

  static of(axis: Axis): number {
    if (!(#id in axis)) new Numbered(axis);
    return Numbered.known(axis)!;
  }

  static known(axis: Axis): number | undefined {
    return #id in axis ? axis.#id : undefined;
  }
}

/** A number that stands for the axis' identity in keys. */
export function axisId(axis: Axis): number {
  return Numbered.of(axis);
}

/** Its number where it has one: asking for it gives none, so that the order of terms does not depend on who looks. */
export function knownAxisId(axis: Axis): number | undefined {
  return Numbered.known(axis);
}

/** What has been worked out about an index. The normal form of a nested one asks for those inside again and again. */
class Notes extends Onto {
  #key: string | undefined;
  #linear: Linear | undefined;
  #range: Range | 'unknown' | undefined;
  /** Quotients and remainders, by the key of what divides. */
  #quotients: Map<string, Index> | undefined;
  #remainders: Map<string, Index> | undefined;

  static #on(index: Index): Notes {
    return #key in index ? index : new Notes(index);
  }

  static key(index: Index): string {
    return (Notes.#on(index).#key ??= makeKey(index));
  }

  static linear(index: Index): Linear {
    return (Notes.#on(index).#linear ??= makeLinear(index));
  }

  /** For an index that was made of its form. */
  static made(index: Index, form: Linear): Index {
    Notes.#on(index).#linear = form;
    return index;
  }

  static range(index: Index): Range | undefined {
    const known = (Notes.#on(index).#range ??= makeRange(index) ?? 'unknown');
    return known === 'unknown' ? undefined : known;
  }

  static quotient(index: Index, b: Dim): Index {
    return kept((Notes.#on(index).#quotients ??= new Map()), index, b, makeQuotient);
  }

  static remainder(index: Index, b: Dim): Index {
    return kept((Notes.#on(index).#remainders ??= new Map()), index, b, makeRemainder);
  }
}

function kept(known: Map<string, Index>, x: Index, b: Dim, make: (x: Index, b: Dim) => Index): Index {
  let made = known.get(b.key);
  if (!made) known.set(b.key, (made = make(x, b)));
  return made;
}

/** Equal for equal indices (axes by identity). */
export function indexKey(index: Index): string {
  return Notes.key(index);
}

function makeKey(index: Index): string {
  switch (index.kind) {
    case 'dim':
      return index.dim.key;
    case 'axis':
      // Padded, so that keys sort in the order in which axes were made.
      return `$${String(axisId(index.axis)).padStart(7, '0')}`;
    case 'op':
      return `${index.op}(${indexKey(index.a)},${indexKey(index.b)})`;
    case 'value':
      return `{${exprKey(index.value)}}`;
  }
}

function linear(index: Index): Linear {
  return Notes.linear(index);
}

function makeLinear(index: Index): Linear {
  if (index.kind === 'dim') return { terms: [], offset: index.dim };
  if (index.kind === 'op' && index.op === 'add') return plus(linear(index.a), linear(index.b));
  if (index.kind === 'op' && index.op === 'mul' && index.b.kind === 'dim')
    return times(linear(index.a), index.b.dim);
  return {
    terms: [{ atom: index, key: indexKey(index), coefficient: D.constant(1) }],
    offset: D.constant(0),
  };
}

function plus(a: Linear, b: Linear): Linear {
  if (a.terms.length === 0) return { terms: b.terms, offset: D.add(a.offset, b.offset) };
  if (b.terms.length === 0) return { terms: a.terms, offset: D.add(a.offset, b.offset) };
  // There are few of them: looking through the list takes less than a map.
  const terms = [...a.terms];
  let vanished = false;
  for (const t of b.terms) {
    const at = a.terms.findIndex(known => known.key === t.key);
    if (at < 0) {
      terms.push(t);
      continue;
    }
    const coefficient = D.add(a.terms[at]!.coefficient, t.coefficient);
    terms[at] = { atom: t.atom, key: t.key, coefficient };
    vanished ||= D.isConstant(coefficient, 0);
  }
  return {
    terms: vanished ? terms.filter(t => !D.isConstant(t.coefficient, 0)) : terms,
    offset: D.add(a.offset, b.offset),
  };
}

function times(a: Linear, factor: Dim): Linear {
  if (D.isConstant(factor, 0)) return { terms: [], offset: factor };
  if (D.isConstant(factor, 1)) return a;
  return {
    terms: a.terms.map(({ atom, key, coefficient }) => ({
      atom,
      key,
      coefficient: D.mul(coefficient, factor),
    })),
    offset: D.mul(a.offset, factor),
  };
}

/** k * (x mod b) + k * b * (x ~/ b) = k * x */
function recombine(form: Linear): Linear {
  for (const t of form.terms) {
    if (t.atom.kind !== 'op' || t.atom.op !== 'mod' || t.atom.b.kind !== 'dim') continue;
    const { a: x, b } = t.atom;
    const quotientKey = indexKey(floordiv(x, b.dim));
    const want = D.mul(t.coefficient, b.dim);
    const match = form.terms.find(u => u.key === quotientKey && D.equal(u.coefficient, want));
    if (!match) continue;
    const rest = { terms: form.terms.filter(u => u !== t && u !== match), offset: form.offset };
    return recombine(plus(rest, times(linear(x), t.coefficient)));
  }
  return form;
}

function tree(form: Linear): Index {
  const { terms, offset } = recombine(form);
  const sorted = terms.length > 1 ? terms.toSorted((x, y) => (x.key < y.key ? -1 : 1)) : terms;
  let sum: Index | undefined;
  for (const { atom, coefficient } of sorted) {
    const scaled: Index = D.isConstant(coefficient, 1)
      ? atom
      : { kind: 'op', op: 'mul', a: atom, b: { kind: 'dim', dim: coefficient } };
    sum = sum ? { kind: 'op', op: 'add', a: sum, b: scaled } : scaled;
  }
  const constant: Index = { kind: 'dim', dim: offset };
  if (!sum) return constant;
  const whole: Index = D.isConstant(offset, 0) ? sum : { kind: 'op', op: 'add', a: sum, b: constant };
  // An atom by itself is what it was.
  return whole === sorted[0]!.atom ? whole : Notes.made(whole, { terms: sorted, offset });
}

export type IndexLike = Index | Axis | Dim | number;

/** Takes axes, dims and numbers as indices. */
export function index(x: IndexLike): Index {
  if (typeof x === 'number') return { kind: 'dim', dim: D.constant(x) };
  if ('kind' in x) return x;
  if ('terms' in x) return { kind: 'dim', dim: x };
  return { kind: 'axis', axis: x };
}

export function add(a: IndexLike, b: IndexLike): Index {
  const x = index(a);
  const y = index(b);
  if (isZero(x)) return y;
  if (isZero(y)) return x;
  return tree(plus(linear(x), linear(y)));
}

const isZero = (x: Index): boolean => x.kind === 'dim' && D.isConstant(x.dim, 0);

export function sub(a: IndexLike, b: IndexLike): Index {
  return add(a, mul(b, -1));
}

/** One of the two must be a dim. */
export function mul(a: IndexLike, b: IndexLike): Index {
  const x = index(a);
  const y = index(b);
  if (y.kind === 'dim') return D.isConstant(y.dim, 1) ? x : tree(times(linear(x), y.dim));
  if (x.kind === 'dim') return tree(times(linear(y), x.dim));
  return { kind: 'op', op: 'mul', a: x, b: y };
}

export function value(expr: Expr): Index {
  if (expr.kind === 'index') return expr.index;
  if (expr.kind === 'const') return index(expr.value);
  if (expr.kind === 'dim') return index(expr.dim);
  return { kind: 'value', value: expr };
}

/** Splits x into b * quotient + remainder, where the remainder holds the terms that b does not divide. */
function split(x: Index, b: Dim): { quotient: Index; remainder: Index } {
  const form = linear(x);
  let quotient: Linear = { terms: [], offset: D.constant(0) };
  let remainder: Linear = { terms: [], offset: D.constant(0) };
  for (const t of form.terms) {
    const exact = D.divideExact(t.coefficient, b);
    if (exact) quotient = plus(quotient, { terms: [{ ...t, coefficient: exact }], offset: D.constant(0) });
    else remainder = plus(remainder, { terms: [t], offset: D.constant(0) });
  }
  const whole = D.floorDiv(form.offset, b);
  const isPolynomial = whole.terms.every(t => t.atoms.every(a => a.kind === 'symbol'));
  quotient = plus(quotient, { terms: [], offset: isPolynomial ? whole : D.constant(0) });
  remainder = plus(remainder, {
    terms: [],
    offset: isPolynomial ? D.sub(form.offset, D.mul(whole, b)) : form.offset,
  });
  return { quotient: tree(quotient), remainder: tree(remainder) };
}

/** Floor division by a positive dim; 0 by 0, the extent of an empty axis, where no element asks for it. */
export function floordiv(a: IndexLike, by: Dim | number): Index {
  const b = D.dim(by);
  if (D.isConstant(b, 1)) return index(a);
  if (D.isConstant(b, 0)) return index(0);
  return Notes.quotient(index(a), b);
}

function makeQuotient(x: Index, b: Dim): Index {
  const { quotient, remainder } = split(x, b);
  if (within(remainder, b)) return quotient;
  const whole = shiftIntoRange(remainder, b);
  if (whole) return add(quotient, whole.quotient);
  // (x ~/ a) ~/ b = x ~/ (a * b)
  if (remainder.kind === 'op' && remainder.op === 'floordiv' && remainder.b.kind === 'dim')
    return add(quotient, floordiv(remainder.a, D.mul(remainder.b.dim, b)));
  return add(quotient, { kind: 'op', op: 'floordiv', a: remainder, b: { kind: 'dim', dim: b } });
}

/** Remainder with the sign of a positive dim; 0 by 0, as for `floordiv`. */
export function mod(a: IndexLike, by: Dim | number): Index {
  const b = D.dim(by);
  if (D.isConstant(b, 1) || D.isConstant(b, 0)) return index(0);
  return Notes.remainder(index(a), b);
}

function makeRemainder(x: Index, b: Dim): Index {
  const { remainder } = split(x, b);
  if (within(remainder, b)) return remainder;
  const whole = shiftIntoRange(remainder, b);
  if (whole) return whole.remainder;
  return { kind: 'op', op: 'mod', a: remainder, b: { kind: 'dim', dim: b } };
}

/** A remainder whose range lies inside one period of b other than the first. */
function shiftIntoRange(x: Index, b: Dim): { quotient: Index; remainder: Index } | undefined {
  const r = range(x);
  if (!r) return undefined;
  const lo = D.constantValue(r.lo);
  const hi = D.constantValue(r.hi);
  const n = D.constantValue(b);
  if (lo === undefined || hi === undefined || n === undefined) return undefined;
  const period = Math.floor(lo / n);
  if (Math.floor(hi / n) !== period) return undefined;
  return { quotient: index(period), remainder: add(x, -period * n) };
}

export function min(a: IndexLike, b: IndexLike): Index {
  return extreme('min', index(a), index(b));
}

export function max(a: IndexLike, b: IndexLike): Index {
  return extreme('max', index(a), index(b));
}

function extreme(op: IndexOp, a: Index, b: Index): Index {
  const x = range(a);
  const y = range(b);
  if (x && y) {
    const aLow = D.lowerBound(D.sub(y.lo, x.hi)) >= 0;
    const bLow = D.lowerBound(D.sub(x.lo, y.hi)) >= 0;
    if (aLow) return op === 'min' ? a : b;
    if (bLow) return op === 'min' ? b : a;
  }
  return { kind: 'op', op, a, b };
}

interface Range {
  readonly lo: Dim;
  readonly hi: Dim;
}

/** Inclusive bounds, where they are known as dims. */
export function range(x: Index): Range | undefined {
  return Notes.range(x);
}

function makeRange(x: Index): Range | undefined {
  const form = linear(x);
  let lo = form.offset;
  let hi = form.offset;
  for (const { atom, coefficient } of form.terms) {
    const r = atomRange(atom);
    if (!r) return undefined;
    if (D.lowerBound(coefficient) >= 0) {
      lo = D.add(lo, D.mul(coefficient, r.lo));
      hi = D.add(hi, D.mul(coefficient, r.hi));
    } else if (D.lowerBound(D.scale(coefficient, -1)) >= 0) {
      lo = D.add(lo, D.mul(coefficient, r.hi));
      hi = D.add(hi, D.mul(coefficient, r.lo));
    } else return undefined;
  }
  return { lo, hi };
}

function atomRange(atom: Index): Range | undefined {
  if (atom.kind === 'axis') return { lo: D.constant(0), hi: D.sub(atom.axis.extent, D.constant(1)) };
  if (atom.kind !== 'op') return undefined;
  if (atom.op === 'mod' && atom.b.kind === 'dim')
    return { lo: D.constant(0), hi: D.sub(atom.b.dim, D.constant(1)) };
  if (atom.op === 'floordiv' && atom.b.kind === 'dim') {
    const r = range(atom.a);
    if (r) return { lo: D.floorDiv(r.lo, atom.b.dim), hi: D.floorDiv(r.hi, atom.b.dim) };
  }
  if (atom.op === 'min' || atom.op === 'max') {
    const a = range(atom.a);
    const b = range(atom.b);
    const numbers = [a?.lo, a?.hi, b?.lo, b?.hi].map(d => (d ? D.constantValue(d) : undefined));
    if (numbers.every(n => n !== undefined)) {
      const pick = atom.op === 'min' ? Math.min : Math.max;
      return {
        lo: D.constant(pick(numbers[0]!, numbers[2]!)),
        hi: D.constant(pick(numbers[1]!, numbers[3]!)),
      };
    }
  }
  return undefined;
}

/** Whether 0 <= x < extent for all points is proved. */
export function within(x: Index, extent: Dim): boolean {
  const r = range(x);
  return (
    r !== undefined && D.lowerBound(r.lo) >= 0 && D.lowerBound(D.sub(D.sub(extent, D.constant(1)), r.hi)) >= 0
  );
}

/** The linear form, for schedules: coefficient of each axis, and the rest. */
export function axisCoefficients(x: Index): { axes: Map<Axis, Dim>; rest: Index } {
  const form = linear(x);
  const axes = new Map<Axis, Dim>();
  const others = form.terms.filter(t => {
    if (t.atom.kind === 'axis') axes.set(t.atom.axis, t.coefficient);
    return t.atom.kind !== 'axis';
  });
  return { axes, rest: tree({ terms: others, offset: form.offset }) };
}

/** Row-major position of `at` in a tensor of this shape. */
export function flatten(at: readonly Index[], shape: readonly Dim[]): Index {
  if (shape.length < 2) return at[0] ?? index(0);
  let flat = linear(at[0]!);
  for (let i = 1; i < shape.length; i++) flat = plus(times(flat, shape[i]!), linear(at[i]!));
  return tree(flat);
}

/** The inverse of `flatten`. */
export function unflatten(flat: Index, shape: readonly Dim[]): Index[] {
  const at: Index[] = [];
  let inner = D.constant(1);
  for (let i = shape.length - 1; i >= 0; i--) {
    const quotient = D.isConstant(inner, 1) ? flat : floordiv(flat, inner);
    at[i] = i === 0 ? quotient : mod(quotient, shape[i]!);
    inner = D.mul(inner, shape[i]!);
  }
  return at;
}
