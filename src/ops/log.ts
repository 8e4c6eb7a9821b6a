import * as B from './build.ts';
import { positive, unaryOp } from './elementwise.ts';

export const log = unaryOp('log', {
  accepts: 'float',
  doc: 'The natural logarithm of x > 0, elementwise.',
  example: 'y = log(x)',
  // (log x)' = 1 / x
  vjp: (b, [ct], [x]) => [B.div(b, ct!, x!)],
  domain: [positive],
});
