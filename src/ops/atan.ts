import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const atan = unaryOp('atan', {
  accepts: 'float',
  doc: 'The angle between -pi / 2 and pi / 2 whose tangent is x, elementwise.',
  example: 'y = atan(x)',
  // atan' = 1 / (1 + x^2)
  vjp: (b, [ct], [x]) => [B.div(b, ct!, B.add(b, 1, B.mul(b, x!, x!)))],
});
