import { type KExpr, lanesOf } from '../../ir/kernel.ts';
import type { DType } from '../../ir/type.ts';
import type { Piece } from './layout.ts';
import { atom, call, components, element, infix } from './layout.ts';
import { literal, valueType } from './literal.ts';

export const laneNames = ['x', 'y', 'z', 'w'] as const;

/** The index of a lane's element. */
export function neighbour(index: Piece, lane: number, dtype: DType): Piece {
  if (lane === 0) return index;
  return infix('+', index, atom(literal(lane, dtype)), true);
}

/** Consecutive elements of a memory. */
export function elements(memory: string, index: Piece, dtype: DType): Piece[] {
  return laneNames.map((_, lane) => element(memory, neighbour(index, lane, dtype)));
}

/** A quarter of an index that is a multiple of 4, without a division where its parts are multiples too. */
export function quarter(e: KExpr): KExpr | undefined {
  if (e.kind === 'const') return e.value % 4 === 0 ? { ...e, value: e.value / 4 } : undefined;
  if (e.kind !== 'binary' || lanesOf(e) > 1) return undefined;
  const [a, b] = [quarter(e.a), quarter(e.b)];
  if (e.op === 'add' || e.op === 'sub') return a && b && { ...e, a, b };
  if (e.op !== 'mul' || e.b.kind !== 'const' || !b) return undefined;
  return b.kind === 'const' && b.value === 1 ? e.a : { ...e, b };
}

/** Where the vector of an element lies; `exprPiece` prints an index. */
export function vectorPlace(index: KExpr, exprPiece: (e: KExpr) => Piece): Piece {
  const whole = quarter(index);
  return whole ? exprPiece(whole) : infix('>>', exprPiece(index), atom('2u'));
}

/** The component that is an element of a memory of vectors. */
export function componentAt(memory: string, index: KExpr, exprPiece: (e: KExpr) => Piece): Piece {
  const lane = infix('&', exprPiece(index), atom('3'));
  return atom(`${element(memory, vectorPlace(index, exprPiece)).text}[${lane.text}]`);
}

export function shufflePiece(e: Extract<KExpr, { kind: 'shuffle' }>, a: Piece, b: Piece): Piece {
  const type = valueType(e.dtype, e.lanes);
  const parts: { from: Piece; which: string }[] = [];
  for (const pick of e.picks) {
    const from = pick < laneNames.length ? a : b;
    const name = laneNames[pick % laneNames.length]!;
    const last = parts.at(-1);
    if (last?.from === from) last.which += name;
    else parts.push({ from, which: name });
  }
  const pieces = parts.map(({ from, which }) => components(from, which));
  return pieces.length === 1 ? pieces[0]! : call(type, ...pieces);
}
