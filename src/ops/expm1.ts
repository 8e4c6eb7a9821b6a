import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const expm1 = unaryOp('expm1', {
  accepts: 'float',
  doc: 'e to the power of x, less 1, elementwise; accurate for small x, where the difference cancels.',
  example: 'y = expm1(x)',
  // (e^x - 1)' = e^x = y + 1
  vjp: (b, [ct], _, [y]) => [B.mul(b, ct!, B.add(b, y!, 1))],
});
