import * as B from './build.ts';
import { binaryOp } from './elementwise.ts';

export const sub = binaryOp('sub', {
  accepts: 'number',
  doc: 'The difference, elementwise.',
  example: 'y = a - b',
  vjp: (b, [ct]) => [ct, B.neg(b, ct!)],
  // x - 0 = x
  simplify: (_, [x, y]) => (B.constantOf(y!) === 0 ? [x!] : undefined),
});
