import type { KExpr } from '../../ir/kernel.ts';
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
