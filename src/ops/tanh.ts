import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const tanh = unaryOp('tanh', {
  accepts: 'float',
  doc: 'The hyperbolic tangent, elementwise.',
  example: 'y = tanh(x)',
  // tanh' = 1 - tanh^2
  vjp: (b, [ct], _, [y]) => [B.mul(b, ct!, B.sub(b, 1, B.mul(b, y!, y!)))],
});
