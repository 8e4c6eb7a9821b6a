import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const cos = unaryOp('cos', {
  accepts: 'float',
  doc: 'The cosine of x radians, elementwise.',
  example: 'y = cos(x)',
  vjp: (b, [ct], [x]) => [B.neg(b, B.mul(b, ct!, B.sin(b, x!)))],
});
