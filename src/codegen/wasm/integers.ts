import type { Get, Ref } from './code.ts';
import type { Lanes } from './lanes.ts';

type Division = 'div' | 'floordiv' | 'mod';

/**
 * Integer division, which has no vector instruction and traps where it has no result: by 0 it gives 0 here, and the
 * lowest i32 over -1 is itself. Operands of `floordiv` and `mod` are not negative.
 */
export function integerQuotient(
  l: Lanes,
  op: Division,
  a: Ref,
  b: Ref,
  signed: boolean,
  divisor: number | undefined,
): Ref {
  return l.lanewise([a, b], 'int', 'int', (x, y) => quotient(l, op, x!, y!, signed, divisor));
}

function quotient(l: Lanes, op: Division, x: Get, y: Get, signed: boolean, divisor: number | undefined): Ref {
  const { i32 } = l.code.m;
  const divide = op === 'mod' ? i32.rem_u : op === 'div' && signed ? i32.div_s : i32.div_u;
  if (divisor === 0) return i32.const(0);
  if (divisor !== undefined && divisor !== -1) return divide(x(), i32.const(divisor | 0));
  const { m } = l.code;
  let result = divide(x(), y());
  if (op === 'div' && signed) result = m.if(i32.eq(y(), i32.const(-1)), i32.sub(i32.const(0), x()), result);
  return m.if(y(), result, i32.const(0));
}
