import type { Dim } from '../dim.ts';
import * as D from '../dim.ts';
import type { Attr, AttrSpec } from '../primitive.ts';
import type { DType, TensorType } from '../type.ts';
import type { Scanner } from './scanner.ts';

const dtypes: readonly string[] = ['f32', 'f16', 'i32', 'u32', 'u8', 'bool'] satisfies DType[];

/** Far more than a printed graph nests; keeps hostile text from exhausting the stack. */
export const deepest = 100;

/** `f32[N, 2*H + 1]` */
export function readType(s: Scanner): TensorType {
  const name = s.next;
  if (name.kind !== 'name' || !dtypes.includes(name.text))
    s.fail(`expected a dtype (${dtypes.join(', ')}), found ${s.found()}`);
  s.take();
  return { dtype: name.text as DType, shape: s.sees('[') ? s.list('[', ']', () => readDim(s)) : [] };
}

export function readInteger(s: Scanner): number {
  const { kind, text } = s.next;
  if (kind !== 'number' || !Number.isSafeInteger(Number(text)))
    s.fail(`expected a whole number, found ${s.found()}`);
  s.take();
  return Number(text);
}

/** A size as `dim.ts` prints it: a sum of products of a number, names and divisions such as `((H + 1) ~/ 2)`. */
export function readDim(s: Scanner, depth = 0): Dim {
  let sum = D.constant(0);
  let sign = s.accept('-') ? -1 : 1;
  for (;;) {
    const start = s.next;
    sum = D.add(sum, D.scale(readTerm(s, depth), sign));
    if (sum.terms.some(t => !Number.isSafeInteger(t.coefficient))) s.fail('the size is too large', start);
    if (s.accept('+')) sign = 1;
    else if (s.accept('-')) sign = -1;
    else return sum;
  }
}

function readTerm(s: Scanner, depth: number): Dim {
  let product = readFactor(s, depth);
  while (s.accept('*')) {
    const at = s.next;
    const factor = readFactor(s, depth);
    // Products of sums would grow without end; none is ever printed.
    if (product.terms.length > 1 || factor.terms.length > 1) s.fail('a sum is multiplied', at);
    product = D.mul(product, factor);
  }
  return product;
}

function readFactor(s: Scanner, depth: number): Dim {
  if (s.next.kind === 'number') return D.constant(readInteger(s));
  if (s.next.kind === 'name') return D.symbol(s.take().text);
  if (!s.sees('(')) s.fail(`expected a size, found ${s.found()}`);
  if (depth >= deepest) s.fail('the size nests too deep');
  s.take();
  const a = readDim(s, depth + 1);
  if (s.accept(')')) return a;
  s.expect('~/');
  const at = s.next;
  const b = readFactor(s, depth + 1);
  if (D.isConstant(b, 0)) s.fail('a size is divided by zero', at);
  s.expect(')');
  return D.floorDiv(a, b);
}

/** An attribute's value. A whole number and a constant size look alike: `type` says which it is. */
export function readAttr(s: Scanner, type: AttrSpec['type'], depth = 0): Attr {
  if (s.sees('[')) {
    if (depth >= deepest) s.fail('the list nests too deep');
    return s.list('[', ']', () => readAttr(s, type, depth + 1));
  }
  const { kind, text } = s.next;
  if (kind === 'string') return readString(s);
  if (s.accept('true')) return true;
  if (s.accept('false')) return false;
  return type === 'dim' || type === 'dims' ? readDim(s) : readNumber(s, kind === 'number' || text === '-');
}

function readNumber(s: Scanner, isNumber: boolean): number {
  const negative = s.accept('-');
  const sign = negative ? -1 : 1;
  if (s.accept('Infinity')) return sign * Number.POSITIVE_INFINITY;
  if (s.accept('NaN')) return Number.NaN;
  if (!isNumber || s.next.kind !== 'number') s.fail(`expected a value, found ${s.found()}`);
  return sign * Number(s.take().text);
}

export function readString(s: Scanner): string {
  try {
    const text: unknown = JSON.parse(s.next.text);
    if (s.next.kind === 'string' && typeof text === 'string') {
      s.take();
      return text;
    }
  } catch {
    // An escape that JSON does not have.
  }
  s.fail(`expected a text in quotes, found ${s.found()}`);
}
