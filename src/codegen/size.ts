import type { Atom, Dim, Term } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import { Names } from './names.ts';

/** A dim as a JavaScript expression; `name` gives the variable of a free dim. */
export function printDim(d: Dim, name: (symbol: string) => string = s => s): string {
  let text = '';
  for (const term of d.terms) {
    const negative = term.coefficient < 0;
    const size = printTerm(term, name);
    text += text === '' ? (negative ? '-' : '') + size : (negative ? ' - ' : ' + ') + size;
  }
  return text || '0';
}

/** Without its sign. */
function printTerm({ coefficient, atoms }: Term, name: (symbol: string) => string): string {
  const size = Math.abs(coefficient);
  const factors = atoms.map(a => printAtom(a, name));
  if (size !== 1 || atoms.length === 0) factors.unshift(String(size));
  return factors.join(' * ');
}

function printAtom(atom: Atom, name: (symbol: string) => string): string {
  if (atom.kind === 'symbol') return name(atom.name);
  if (atom.kind === 'max') return `Math.max(${atom.of.map(d => printDim(d, name)).join(', ')})`;
  return `Math.floor(${printOperand(atom.a, name, false)} / ${printOperand(atom.b, name, true)})`;
}

/** Parentheses where a quotient needs them: around sums, and around a divisor that is not one factor. */
function printOperand(d: Dim, name: (symbol: string) => string, divisor: boolean): string {
  const text = printDim(d, name);
  const [term] = d.terms;
  const oneTerm = d.terms.length <= 1;
  const factors = term ? term.atoms.length + Number(Math.abs(term.coefficient) !== 1) : 1;
  const simple = oneTerm && (!divisor || (factors <= 1 && (term?.coefficient ?? 0) >= 0));
  return simple ? text : `(${text})`;
}

/** Prints what depends on the free dims of one program. */
export class SizePrinter {
  readonly #variables = new Map<string, string>();

  /** `taken`: names of the module that sizes must not shadow. */
  constructor(dims: readonly string[], taken: Iterable<string> = []) {
    const names = new Names(taken);
    for (const dim of dims) this.#variables.set(dim, names.fresh(dim));
  }

  expression(d: Dim): string {
    return printDim(d, symbol => {
      const variable = this.#variables.get(symbol);
      if (variable === undefined) throw new RangeError(`${symbol} is not a free dim of the program`);
      return variable;
    });
  }

  /** A number, or an arrow function of the dims up to the last that it uses. */
  size(d: Dim): string {
    return D.constantValue(d) === undefined ? this.arrow([d], this.expression(d)) : this.expression(d);
  }

  /** `body` as a function, where it uses the dims that these do. */
  arrow(uses: readonly Dim[], body: string): string {
    const used = new Set<string>();
    for (const d of uses) D.symbols(d, used);
    const all = [...this.#variables.entries()];
    const last = all.findLastIndex(([symbol]) => used.has(symbol));
    const parameters = all.slice(0, last + 1).map(([, variable]) => variable);
    return `${parameters.length === 1 ? parameters[0] : `(${parameters.join(', ')})`} => ${body}`;
  }
}
