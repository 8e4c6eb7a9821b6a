import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';
import { floats } from './samples.ts';

export const log1p = unaryOp('log1p', {
  accepts: 'float',
  doc: 'The natural logarithm of 1 + x for x > -1, elementwise; accurate for small x, where the sum forgets it.',
  example: 'y = log1p(x)',
  // log(1 + x)' = 1 / (1 + x)
  vjp: (b, [ct], [x]) => [B.div(b, ct!, B.add(b, 1, x!))],
  domain: [fc => floats(fc, -0.75, 3)],
});
