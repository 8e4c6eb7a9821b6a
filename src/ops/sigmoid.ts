import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const sigmoid = unaryOp('sigmoid', {
  accepts: 'float',
  doc: 'The logistic function 1 / (1 + e^-x), elementwise, without overflow.',
  example: 'y = sigmoid(x)',
  // s' = s (1 - s)
  vjp: (b, [ct], _, [y]) => [B.mul(b, ct!, B.mul(b, y!, B.sub(b, 1, y!)))],
});
