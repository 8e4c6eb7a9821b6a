/**
 * Pieces of an expression: their text on one line, how tightly they bind, and where they may be broken.
 */
export interface Piece {
  readonly text: string;
  readonly level: number;
  readonly shape: Shape;
  /** The value, where it is a literal. */
  readonly constant?: number;
}

type Shape =
  | { readonly kind: 'atom' }
  | { readonly kind: 'chain'; readonly links: readonly Link[] }
  | { readonly kind: 'call'; readonly open: string; readonly args: readonly Piece[]; readonly close: string }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly operand: Piece };

interface Link {
  /** Empty for the first. */
  readonly op: string;
  readonly operand: Piece;
}

/** How tightly operators bind. WGSL wants parentheses between `&&`, `||` and the bit operators, whatever their order. */
export const levels = {
  or: 1,
  and: 1,
  bits: 1,
  compare: 2,
  sum: 3,
  product: 4,
  unary: 5,
  primary: 6,
} as const;

const operators: Readonly<Record<string, { level: number; left: number; right: number }>> = {
  '||': { level: levels.or, left: levels.compare, right: levels.compare },
  '&&': { level: levels.and, left: levels.compare, right: levels.compare },
  ...same(['&', '|', '^', '<<', '>>'], levels.bits, levels.unary, levels.unary),
  ...same(['==', '!=', '<', '<=', '>', '>='], levels.compare, levels.sum, levels.sum),
  ...same(['+', '-'], levels.sum, levels.sum, levels.product),
  ...same(['*', '/', '%'], levels.product, levels.product, levels.unary),
};

function same(ops: readonly string[], level: number, left: number, right: number) {
  return Object.fromEntries(ops.map(op => [op, { level, left, right }]));
}

export function atom(text: string, constant?: number): Piece {
  const level = text.startsWith('-') ? levels.unary : levels.primary;
  return { text, level, shape: { kind: 'atom' }, ...(constant === undefined ? {} : { constant }) };
}

/** `associative`: `a + (b + c)` may be written `a + b + c` (integers, booleans; never floats). */
export function infix(op: string, a: Piece, b: Piece, associative = false): Piece {
  const { level, left, right } = operators[op]!;
  const first = continues(op, a, level) ? a.shape.links : [alone(a, left)];
  const rest =
    associative && continues(op, b, level) && consistsOf(op, b.shape.links)
      ? b.shape.links
      : [alone(b, right)];
  const links = [...first, ...withOp(op, rest)];
  const text = links.map(l => (l.op === '' ? l.operand.text : ` ${l.op} ${l.operand.text}`)).join('');
  return { text, level, shape: { kind: 'chain', links } };
}

type Chain = Piece & { readonly shape: Extract<Shape, { kind: 'chain' }> };

/** Whether `operand op x` needs no parentheses because it is one chain read from the left. */
function continues(op: string, operand: Piece, level: number): operand is Chain {
  if (operand.shape.kind !== 'chain' || operand.level !== level) return false;
  if (level === levels.sum || level === levels.product) return true;
  return chaining.has(op) && consistsOf(op, operand.shape.links);
}

/** Besides sums and products, only these may stand several in a row. */
const chaining: ReadonlySet<string> = new Set(['&&', '||', '&', '|']);

function consistsOf(op: string, links: readonly Link[]): boolean {
  return links.every(l => l.op === '' || l.op === op || (op === '+' && l.op === '-'));
}

function alone(operand: Piece, atLeast: number): Link {
  return { op: '', operand: operand.level >= atLeast ? operand : parens(operand) };
}

function withOp(op: string, links: readonly Link[]): Link[] {
  return links.map((l, i) => (i === 0 ? { op, operand: l.operand } : l));
}

export function prefix(op: '-' | '!', a: Piece): Piece {
  const bare = a.level >= levels.unary && !(op === '-' && a.text.startsWith('-'));
  const operand = bare ? a : parens(a);
  return { text: op + operand.text, level: levels.unary, shape: { kind: 'prefix', prefix: op, operand } };
}

export function call(name: string, ...args: readonly Piece[]): Piece {
  // `f(a < b, c > d)` would be read as a template `a<b, c>`.
  const safe = args.map((arg, i) =>
    arg.text.includes(' < ') &&
    args.slice(i + 1).some(later => later.text.includes('>')) &&
    arg.level === levels.compare
      ? parens(arg)
      : arg,
  );
  return enclosed(`${name}(`, safe, ')');
}

export function element(array: string, index: Piece): Piece {
  return enclosed(`${array}[`, [index], ']');
}

/** `a.xy` */
export function components(a: Piece, which: string): Piece {
  if (a.level < levels.primary) return enclosed('(', [a], `).${which}`);
  return { text: `${a.text}.${which}`, level: levels.primary, shape: { kind: 'atom' } };
}

export function parens(a: Piece): Piece {
  return enclosed('(', [a], ')');
}

function enclosed(open: string, args: readonly Piece[], close: string): Piece {
  const text = open + args.map(a => a.text).join(', ') + close;
  return { text, level: levels.primary, shape: { kind: 'call', open, args, close } };
}

const width = 100;

/**
 * The text over as many lines as it needs, the first starting at `column`, the others indented by `indent` + 2.
 * Chains break before operators and are filled; calls put every argument on a line of its own.
 */
export function layout(piece: Piece, indent: number, column: number): string {
  if (column + piece.text.length < width) return piece.text;
  const { shape } = piece;
  switch (shape.kind) {
    case 'atom':
      return piece.text;
    case 'prefix':
      return shape.prefix + layout(shape.operand, indent, column + shape.prefix.length);
    case 'call': {
      const { open, args, close } = shape;
      const inner = indent + 2;
      if (open === '(') return open + layout(args[0]!, indent, column + 1) + close;
      const lines = args.map(a => ' '.repeat(inner) + layout(a, inner, inner));
      return `${open}\n${lines.join(',\n')}\n${' '.repeat(indent)}${close}`;
    }
    case 'chain':
      return fill(shape.links, indent + 2, column);
  }
}

function fill(links: readonly Link[], indent: number, column: number): string {
  let text = '';
  let at = column;
  for (const { op, operand } of links) {
    let lead = op === '' ? '' : ` ${op} `;
    if (op !== '' && at + lead.length + operand.text.length >= width) {
      lead = `\n${' '.repeat(indent)}${op} `;
      at = indent - 1;
    }
    const printed = layout(operand, indent, at + (op === '' ? 0 : op.length + 2));
    text += lead + printed;
    const newline = printed.lastIndexOf('\n');
    at = newline < 0 ? at + (op === '' ? 0 : op.length + 2) + printed.length : printed.length - newline - 1;
  }
  return text;
}
