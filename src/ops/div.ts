import * as B from './build.ts';
import { binaryOp, nonZero } from './elementwise.ts';
import { floats, integers } from './samples.ts';

export const div = binaryOp('div', {
  accepts: 'number',
  doc: 'The quotient, elementwise; of integers, truncated towards zero, and 0 where the divisor is.',
  example: 'y = a / b',
  // (x / y)' = ct / y and -ct * (x / y) / y
  vjp: (b, [ct], [, y], [z]) => {
    const ofX = B.div(b, ct!, y!);
    return [ofX, B.neg(b, B.mul(b, ofX, z!))];
  },
  // x / 1 = x
  simplify: (_, [x, y]) => (B.constantOf(y!) === 1 ? [x!] : undefined),
  domain: [fc => floats(fc), nonZero],
  integers: [fc => integers(fc, -40, 40), fc => integers(fc, -2, 7)],
});
