import * as B from './build.ts';
import { binaryOp } from './elementwise.ts';

export const mul = binaryOp('mul', {
  accepts: 'number',
  doc: 'The product, elementwise. Integers wrap around.',
  example: 'y = a * b',
  vjp: (b, [ct], [x, y]) => [B.mul(b, ct!, y!), B.mul(b, ct!, x!)],
  // x * 1 = x;  1 * x = x  (x * 0 stays: x may be infinite)
  simplify: (_, [x, y]) => (B.constantOf(y!) === 1 ? [x!] : B.constantOf(x!) === 1 ? [y!] : undefined),
});
