import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const exp = unaryOp('exp', {
  accepts: 'float',
  doc: 'e to the power of x, elementwise.',
  example: 'y = exp(x)',
  // (e^x)' = e^x = y
  vjp: (b, [ct], _, [y]) => [B.mul(b, ct!, y!)],
});
