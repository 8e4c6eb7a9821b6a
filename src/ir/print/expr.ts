import type { Axis, Comparison, Expr, Index, Predicate } from '../compute.ts';
import * as D from '../dim.ts';
import type { BinaryOp } from '../scalar.ts';
import type { DType } from '../type.ts';

/** Unique names for axes, which are told apart by identity: `y`, `y_2`. */
export class Names {
  readonly #names = new Map<Axis, string>();
  readonly #taken = new Set<string>();

  of(axis: Axis): string {
    const known = this.#names.get(axis);
    if (known !== undefined) return known;
    let name = axis.name;
    for (let i = 2; this.#taken.has(name); i++) name = `${axis.name}_${i}`;
    this.#taken.add(name);
    this.#names.set(axis, name);
    return name;
  }
}

/** A text and how tightly its outermost operator binds. */
interface Piece {
  readonly text: string;
  readonly level: number;
}

const atomLevel = 100;
const unaryLevel = 90;
const selectLevel = 0;

/** Operators and how tightly they bind; ops that are absent print as calls. */
const operators: Partial<Record<BinaryOp, readonly [symbol: string, level: number]>> = {
  or: ['or', 10],
  and: ['and', 20],
  eq: ['==', 30],
  ne: ['!=', 30],
  lt: ['<', 30],
  le: ['<=', 30],
  gt: ['>', 30],
  ge: ['>=', 30],
  add: ['+', 40],
  sub: ['-', 40],
  mul: ['*', 50],
  div: ['/', 50],
  floordiv: ['~/', 50],
  mod: ['%', 50],
};

const atom = (text: string): Piece => ({ text, level: atomLevel });
const wrap = (piece: Piece, level: number): string => (piece.level < level ? `(${piece.text})` : piece.text);

/** Left-associative: a right operand of the same level keeps its parentheses, so the order of additions shows. */
function infix(op: BinaryOp, a: Piece, b: Piece): Piece {
  const operator = operators[op];
  if (!operator) return atom(`${op}(${a.text}, ${b.text})`);
  const [symbol, level] = operator;
  return { text: `${wrap(a, level)} ${symbol} ${wrap(b, level + 1)}`, level };
}

export function printExpr(e: Expr, names: Names = new Names()): string {
  return exprPiece(e, names).text;
}

export function printIndex(x: Index, names: Names = new Names()): string {
  return indexPiece(x, names).text;
}

export function printPredicate(predicate: Predicate, names: Names = new Names()): string {
  return predicate.length === 0 ? 'true' : predicate.map(c => printComparison(c, names)).join(' and ');
}

function printComparison({ op, a, b }: Comparison, names: Names): string {
  return infix(op, indexPiece(a, names), indexPiece(b, names)).text;
}

function exprPiece(e: Expr, names: Names): Piece {
  const piece = (x: Expr) => exprPiece(x, names);
  switch (e.kind) {
    case 'const':
      return printConstant(e.value, e.dtype);
    case 'dim':
      return dimPiece(e.dim);
    case 'index':
      return indexPiece(e.index, names);
    case 'load': {
      const text = `in${e.input}[${e.at.map(x => printIndex(x, names)).join(', ')}]`;
      if (!e.guard) return atom(text);
      const fill = printConstant(e.fill ?? 0, e.dtype).text;
      return { text: `${text} if ${printPredicate(e.guard, names)} else ${fill}`, level: selectLevel };
    }
    case 'unary':
      if (e.op === 'neg') return { text: `-${wrap(piece(e.a), unaryLevel + 1)}`, level: unaryLevel };
      return atom(`${e.op}(${piece(e.a).text})`);
    case 'binary':
      return infix(e.op, piece(e.a), piece(e.b));
    case 'select': {
      const [condition, a, b] = [e.condition, e.a, e.b].map(piece) as [Piece, Piece, Piece];
      return {
        text: `${wrap(a, selectLevel + 1)} if ${wrap(condition, selectLevel + 1)} else ${wrap(b, selectLevel + 1)}`,
        level: selectLevel,
      };
    }
    case 'cast':
      return atom(`${e.dtype}(${piece(e.a).text})`);
    case 'random':
      return atom(`random(${e.args.map(x => piece(x).text).join(', ')})`);
    case 'reduced':
      return atom(`acc${e.component}`);
  }
}

function indexPiece(x: Index, names: Names): Piece {
  switch (x.kind) {
    case 'dim':
      return dimPiece(x.dim);
    case 'axis':
      return atom(names.of(x.axis));
    case 'value':
      return exprPiece(x.value, names);
    case 'op': {
      const offset = x.op === 'add' && x.b.kind === 'dim' ? D.constantValue(x.b.dim) : undefined;
      if (offset !== undefined && offset < 0)
        return infix('sub', indexPiece(x.a, names), atom(String(-offset)));
      return infix(x.op, indexPiece(x.a, names), indexPiece(x.b, names));
    }
  }
}

/** A polynomial of several terms, or a negative one, is wrapped like a sum. */
function dimPiece(dim: D.Dim): Piece {
  const text = D.print(dim);
  return { text, level: /^\w+$/.test(text) ? atomLevel : dim.terms.length > 1 ? 40 : 50 };
}

/** Floats always show a point or an exponent, unsigned numbers a `u`. */
function printConstant(value: number, dtype: DType): Piece {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const level = text.startsWith('-') ? unaryLevel : atomLevel;
  switch (dtype) {
    case 'f32':
      return { text: /^-?\d+$/.test(text) ? `${text}.0` : text, level };
    case 'f16':
      return { text: `${text}h`, level };
    case 'u32':
    case 'u8':
      return { text: `${text}u`, level };
    case 'bool':
      return atom(value === 0 ? 'false' : 'true');
    case 'i32':
      return { text, level };
  }
}
