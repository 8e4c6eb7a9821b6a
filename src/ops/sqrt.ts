import * as B from './build.ts';
import { positive, unaryOp } from './elementwise.ts';

export const sqrt = unaryOp('sqrt', {
  accepts: 'float',
  doc: 'The square root of x >= 0, elementwise. Its gradient at 0 is infinite.',
  example: 'y = sqrt(x)',
  // (sqrt x)' = 1 / (2 sqrt x) = 0.5 / y
  vjp: (b, [ct], _, [y]) => [B.div(b, B.mul(b, ct!, 0.5), y!)],
  domain: [positive],
});
