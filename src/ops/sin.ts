import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const sin = unaryOp('sin', {
  accepts: 'float',
  doc: 'The sine of x radians, elementwise.',
  example: 'y = sin(x)',
  vjp: (b, [ct], [x]) => [B.mul(b, ct!, B.cos(b, x!))],
});
