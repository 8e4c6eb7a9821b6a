import { Onto } from '../support/onto.ts';

/**
 * Symbolic sizes: polynomials with integer coefficients over free dims (`N`, `H`) and floor-division atoms,
 * kept in normal form, so that equal polynomials have equal `key`s and equality is decided by comparing them.
 * Every free dim is an integer >= 1.
 */
export interface Dim {
  /** Canonical text, also what is printed. */
  readonly key: string;
  readonly terms: readonly Term[];
}

/** coefficient * product of atoms; atoms sorted by key, repeated for powers. */
export interface Term {
  readonly coefficient: number;
  readonly atoms: readonly Atom[];
  /** Canonical text of the product. */
  readonly product: string;
}

export type Atom =
  | { readonly kind: 'symbol'; readonly key: string; readonly name: string }
  | { readonly kind: 'floordiv'; readonly key: string; readonly a: Dim; readonly b: Dim }
  /** The largest of several: where memory begins, but never an extent. */
  | { readonly kind: 'max'; readonly key: string; readonly of: readonly Dim[] };

export type DimEnv = Readonly<Record<string, number>>;

function term(coefficient: number, atoms: readonly Atom[]): Term {
  const product = atoms.length === 1 ? atoms[0]!.key : atoms.map(a => a.key).join('*');
  return { coefficient, atoms, product };
}

/** Of two products, which comes first: the one of more atoms. */
const order = (x: Term, y: Term): number =>
  y.atoms.length - x.atoms.length || (x.product < y.product ? -1 : x.product === y.product ? 0 : 1);

function make(terms: readonly Term[]): Dim {
  const kept = normal(terms);
  return { terms: kept, key: printTerms(kept) };
}

/** Terms in order, each product once. */
function normal(terms: readonly Term[]): readonly Term[] {
  if (terms.length === 1 && terms[0]!.coefficient !== 0) return terms;
  const merged = new Map<string, Term>();
  for (const t of terms) {
    const before = merged.get(t.product);
    merged.set(t.product, before ? { ...before, coefficient: before.coefficient + t.coefficient } : t);
  }
  return [...merged.values()].filter(t => t.coefficient !== 0).sort(order);
}

/** The terms of a + factor * b, where both are in order. */
function sum(a: readonly Term[], b: readonly Term[], factor: number): readonly Term[] {
  const all: Term[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    const which = order(x, y);
    const coefficient =
      which < 0 ? x.coefficient : which > 0 ? factor * y.coefficient : x.coefficient + factor * y.coefficient;
    if (coefficient !== 0) {
      const from = which > 0 ? y : x;
      all.push(from.coefficient === coefficient ? from : { ...from, coefficient });
    }
    if (which <= 0) i++;
    if (which >= 0) j++;
  }
  while (i < a.length) all.push(a[i++]!);
  for (; j < b.length; j++)
    all.push(factor === 1 ? b[j]! : { ...b[j]!, coefficient: factor * b[j]!.coefficient });
  return all;
}

/** The sum of some terms. */
export const ofTerms = (terms: readonly Term[]): Dim => make(terms);

function printTerms(terms: readonly Term[]): string {
  if (terms.length === 0) return '0';
  let text = '';
  for (const { coefficient: c, atoms, product } of terms) {
    const size = Math.abs(c);
    const body = atoms.length === 0 ? String(size) : (size === 1 ? '' : `${size}*`) + product;
    text += text === '' ? (c < 0 ? '-' : '') + body : (c < 0 ? ' - ' : ' + ') + body;
  }
  return text;
}

const constants = new Map<number, Dim>();

export function constant(n: number): Dim {
  let known = constants.get(n);
  if (!known) {
    known = { terms: n === 0 ? [] : [term(n, [])], key: String(n) };
    // Schedules ask for the same few numbers thousands of times.
    if (constants.size < 4096) constants.set(n, known);
  }
  return known;
}

export function symbol(name: string): Dim {
  return make([term(1, [{ kind: 'symbol', key: name, name }])]);
}

/** Accepts plain numbers wherever a dim is wanted. */
export function dim(d: Dim | number): Dim {
  return typeof d === 'number' ? constant(d) : d;
}

export function add(a: Dim, b: Dim): Dim {
  const x = constantValue(a);
  const y = constantValue(b);
  if (x === 0) return b;
  if (y === 0) return a;
  if (x !== undefined && y !== undefined) return constant(x + y);
  const terms = sum(a.terms, b.terms, 1);
  return { terms, key: printTerms(terms) };
}

export function scale(a: Dim, factor: number): Dim {
  const x = constantValue(a);
  if (x !== undefined) return constant(x * factor);
  if (factor === 1) return a;
  if (factor === 0) return constant(0);
  const terms = a.terms.map(t => ({ ...t, coefficient: t.coefficient * factor }));
  return { terms, key: printTerms(terms) };
}

export function sub(a: Dim, b: Dim): Dim {
  const x = constantValue(a);
  const y = constantValue(b);
  if (x !== undefined && y !== undefined) return constant(x - y);
  const terms = sum(a.terms, b.terms, -1);
  return { terms, key: printTerms(terms) };
}

export function mul(a: Dim, b: Dim): Dim {
  const x = constantValue(a);
  if (x !== undefined) return scale(b, x);
  const y = constantValue(b);
  if (y !== undefined) return scale(a, y);
  return make(
    a.terms.flatMap(s =>
      b.terms.map(t => term(s.coefficient * t.coefficient, sorted([...s.atoms, ...t.atoms]))),
    ),
  );
}

const sorted = (atoms: readonly Atom[]): readonly Atom[] =>
  atoms.toSorted((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));

export function product(dims: readonly Dim[]): Dim {
  return dims.reduce(mul, constant(1));
}

/** The number, if the dim is one. */
export function constantValue(d: Dim): number | undefined {
  const { terms } = d;
  if (terms.length === 0) return 0;
  return terms.length === 1 && terms[0]!.atoms.length === 0 ? terms[0]!.coefficient : undefined;
}

export function isConstant(d: Dim, n: number): boolean {
  return constantValue(d) === n;
}

export function equal(a: Dim, b: Dim): boolean {
  return a.key === b.key;
}

/** a / b where it is a polynomial, else undefined. Exact for a one-term divisor, which is all that shapes need. */
export function divideExact(a: Dim, b: Dim): Dim | undefined {
  if (equal(a, b)) return constant(1);
  if (b.terms.length !== 1) return undefined;
  const [divisor] = b.terms;
  const terms: Term[] = [];
  for (const t of a.terms) {
    if (t.coefficient % divisor!.coefficient !== 0) return undefined;
    const atoms = [...t.atoms];
    for (const atom of divisor!.atoms) {
      const at = atoms.findIndex(x => x.key === atom.key);
      if (at < 0) return undefined;
      atoms.splice(at, 1);
    }
    terms.push(term(t.coefficient / divisor!.coefficient, atoms));
  }
  return make(terms);
}

/** In parentheses, unless it is a number, one atom, or, on the left of `~/`, one product. */
function grouped(d: Dim, products: 0 | 1): string {
  const [first, ...others] = d.terms;
  const factors = first ? first.atoms.length + (Math.abs(first.coefficient) === 1 ? 0 : 1) : 1;
  const isPlain = others.length === 0 && (first?.coefficient ?? 0) >= 0 && (products === 1 || factors <= 1);
  return isPlain ? d.key : `(${d.key})`;
}

/** floor(a / b); b must not be zero. Splits off the terms that b divides: (b*q + r) ~/ b = q + r ~/ b. */
export function floorDiv(a: Dim, b: Dim): Dim {
  const x = constantValue(a);
  const y = constantValue(b);
  if (x !== undefined && y !== undefined) return constant(Math.floor(x / y));
  if (y === 1) return a;
  const whole: Dim[] = [];
  const rest: Term[] = [];
  for (const t of a.terms) {
    const one = make([t]);
    const quotient = divideExact(one, b);
    if (quotient) whole.push(quotient);
    else if (y !== undefined && t.atoms.length === 0) {
      whole.push(constant(Math.floor(t.coefficient / y)));
      rest.push(term(((t.coefficient % y) + y) % y, []));
    } else rest.push(t);
  }
  const quotient = whole.reduce(add, constant(0));
  const remainder = make(rest);
  const r = constantValue(remainder);
  if (
    r !== undefined &&
    (r === 0 || (y !== undefined && y > 0) || (y === undefined && r > 0 && r < lowerBound(b)))
  )
    return add(quotient, constant(y === undefined ? 0 : Math.floor(r / y)));
  const key = `(${grouped(remainder, 1)} ~/ ${grouped(b, 0)})`;
  return add(quotient, make([term(1, [{ kind: 'floordiv', key, a: remainder, b }])]));
}

/** The largest of some dims at the sizes of a run. */
export function max(list: readonly Dim[]): Dim {
  const of = [...new Map(list.map(d => [d.key, d])).values()];
  if (of.length === 0) throw new RangeError('the largest of nothing');
  if (of.length === 1) return of[0]!;
  const key = `max(${of.map(d => d.key).join(', ')})`;
  return make([term(1, [{ kind: 'max', key, of }])]);
}

class Notes extends Onto {
  #least: number | undefined;

  static least(d: Dim): number {
    const notes = #least in d ? d : (new Notes(d) as Notes & Dim);
    return (notes.#least ??= leastOf(d.terms));
  }
}

/** A lower bound for free dims >= 1; -Infinity where none is known. */
export function lowerBound(d: Dim): number {
  const known = constantValue(d);
  return known ?? Notes.least(d);
}

const large: DimEnv = new Proxy({}, { get: () => 4096 });

/** Whether it is below 0 for all free dims >= 1, as far as can be proved: a size at which it is not spares the proof. */
export function isNegative(d: Dim): boolean {
  return evaluate(d, large) < 0 && lowerBound(scale(d, -1)) > 0;
}

/** Whether a >= b for all free dims >= 1, as far as can be proved. */
export const isAtLeast = (a: Dim, b: Dim): boolean => leastOf(sum(a.terms, b.terms, -1)) >= 0;

function leastOf(terms: readonly Term[]): number {
  const least = boundOfTerms(terms);
  if (least > Number.NEGATIVE_INFINITY) return least;
  // What bounds the fractions bounds the whole number that they stand for; the margin is for their rounding.
  const fractions = withoutDivisions(terms);
  return fractions ? Math.ceil(boundOfSum(fractions) - 1e-9) + 0 : least;
}

/** Of products of free dims: what is subtracted is made up for by a product that it divides, H*W - W >= 0. */
function boundOfSum(terms: readonly Term[]): number {
  const left = new Map<Term, number>(terms.filter(t => t.coefficient > 0).map(t => [t, t.coefficient]));
  let sum = 0;
  for (const { coefficient, atoms } of terms) {
    if (coefficient > 0) continue;
    let missing = -coefficient;
    for (const [term, more] of left) {
      if (missing === 0 || !divides(atoms, term.atoms)) continue;
      const used = Math.min(more, missing);
      left.set(term, more - used);
      missing -= used;
    }
    if (missing > 0 && atoms.length > 0) return Number.NEGATIVE_INFINITY;
    sum -= missing;
  }
  for (const more of left.values()) sum += more;
  return sum;
}

function divides(a: readonly Atom[], b: readonly Atom[]): boolean {
  const rest = b.map(x => x.key);
  return a.every(({ key }) => {
    const at = rest.indexOf(key);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function boundOfTerms(terms: readonly Term[]): number {
  let sum = 0;
  for (const { coefficient, atoms } of terms) {
    if (atoms.length === 0) sum += coefficient;
    else if (coefficient > 0 && atoms.every(a => a.kind === 'symbol')) sum += coefficient;
    else if (coefficient > 0 && atoms.every(isNotNegative)) sum += 0;
    else return Number.NEGATIVE_INFINITY;
  }
  return sum;
}

function isNotNegative(atom: Atom): boolean {
  if (atom.kind === 'symbol') return true;
  if (atom.kind === 'max') return atom.of.some(d => lowerBound(d) >= 0);
  return lowerBound(atom.a) >= 0 && lowerBound(atom.b) > 0;
}

/**
 * Terms with fractional coefficients that are nowhere larger: floor(a / n) is at most a / n and at least
 * (a - n + 1) / n. Only for divisions by numbers, times free dims.
 */
function withoutDivisions(terms: readonly Term[]): readonly Term[] | undefined {
  let rest = terms;
  for (let depth = 0; depth < 8; depth++) {
    if (rest.every(t => t.atoms.every(a => a.kind === 'symbol'))) return rest;
    const replaced = rest.map(withoutDivision);
    if (replaced.some(t => t === undefined)) return undefined;
    rest = normal(replaced.flatMap(t => t!));
  }
  return undefined;
}

function withoutDivision(t: Term): readonly Term[] | undefined {
  const at = t.atoms.findIndex(a => a.kind !== 'symbol');
  const atom = t.atoms[at];
  if (!atom) return [t];
  if (atom.kind !== 'floordiv') return undefined;
  const others = t.atoms.toSpliced(at, 1);
  const n = constantValue(atom.b);
  if (n === undefined || n < 1 || others.some(a => a.kind !== 'symbol')) return undefined;
  const factor = t.coefficient / n;
  const low = factor > 0 ? [term(-factor * (n - 1), others)] : [];
  return [...low, ...atom.a.terms.map(u => term(factor * u.coefficient, sorted([...u.atoms, ...others])))];
}

export function symbols(d: Dim, into = new Set<string>()): Set<string> {
  for (const { atoms } of d.terms)
    for (const atom of atoms) {
      if (atom.kind === 'symbol') into.add(atom.name);
      else if (atom.kind === 'max') for (const x of atom.of) symbols(x, into);
      else {
        symbols(atom.a, into);
        symbols(atom.b, into);
      }
    }
  return into;
}

/** The value at given sizes; throws on a free dim that `env` lacks. */
export function evaluate(d: Dim, env: DimEnv = {}): number {
  let sum = 0;
  for (const { coefficient, atoms } of d.terms) {
    let value = coefficient;
    for (const atom of atoms) {
      if (atom.kind === 'symbol') {
        const n = env[atom.name];
        if (n === undefined) throw new RangeError(`no value for free dim ${atom.name}`);
        value *= n;
      } else if (atom.kind === 'max') value *= Math.max(...atom.of.map(x => evaluate(x, env)));
      else value *= Math.floor(evaluate(atom.a, env) / evaluate(atom.b, env));
    }
    sum += value;
  }
  return sum;
}

/** Replaces free dims by dims. */
export function substitute(d: Dim, map: ReadonlyMap<string, Dim>): Dim {
  if (d.terms.every(t => t.atoms.length === 0)) return d;
  return d.terms
    .map(({ coefficient, atoms }) =>
      atoms
        .map(atom =>
          atom.kind === 'symbol'
            ? (map.get(atom.name) ?? symbol(atom.name))
            : atom.kind === 'max'
              ? max(atom.of.map(x => substitute(x, map)))
              : floorDiv(substitute(atom.a, map), substitute(atom.b, map)),
        )
        .reduce(mul, constant(coefficient)),
    )
    .reduce(add, constant(0));
}

export function print(d: Dim): string {
  return d.key;
}
