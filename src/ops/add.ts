import * as B from './build.ts';
import { binaryOp } from './elementwise.ts';

export const add = binaryOp('add', {
  accepts: 'number',
  doc: 'The sum, elementwise.',
  example: 'y = a + b',
  vjp: (_, [ct]) => [ct, ct],
  // x + 0 = x;  0 + x = x
  simplify: (_, [x, y]) => (B.constantOf(y!) === 0 ? [x!] : B.constantOf(x!) === 0 ? [y!] : undefined),
});
