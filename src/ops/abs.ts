import * as B from './build.ts';
import { offKinks, unaryOp } from './elementwise.ts';

export const abs = unaryOp('abs', {
  accepts: 'signed',
  doc: 'The absolute value, elementwise. Its gradient at 0 is 0.',
  example: 'y = abs(x)',
  vjp: (b, [ct], [x]) => [B.mul(b, ct!, B.sign(b, x!))],
  domain: [offKinks],
  kinks: true,
});
