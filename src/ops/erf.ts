import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const erf = unaryOp('erf', {
  accepts: 'float',
  doc: 'The error function, elementwise: twice the probability that a standard normal lies in 0 .. x * sqrt(2).',
  example: 'y = erf(x)',
  // erf' = 2 / sqrt(pi) e^(-x^2)
  vjp: (b, [ct], [x]) => [
    B.mul(b, ct!, B.mul(b, B.exp(b, B.neg(b, B.mul(b, x!, x!))), 2 / Math.sqrt(Math.PI))),
  ],
});
