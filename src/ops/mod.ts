import * as B from './build.ts';
import { binaryOp, offKinks } from './elementwise.ts';
import { integers, kinks } from './samples.ts';

export const mod = binaryOp('mod', {
  accepts: 'number',
  doc: 'The remainder a - floor(a / b) * b, with the sign of the divisor, elementwise; of an integer by 0, 0.',
  example: 'y = a % b',
  // (x - floor(x / y) y)' = 1 and -floor(x / y)
  vjp: (b, [ct], [x, y]) => [ct, B.neg(b, B.mul(b, ct!, B.floordiv(b, x!, y!)))],
  domain: [offKinks, fc => fc.constantFrom(0.5, 1, 2, -0.5, -1)],
  kinks: [fc => kinks(fc), fc => fc.constantFrom(0.5, 1, 2, -0.5, -1)],
  integers: [fc => integers(fc, -40, 40), fc => fc.constantFrom(1, 2, 3, 7, -1, -3, 0)],
});
