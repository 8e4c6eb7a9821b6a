import * as B from './build.ts';
import { binaryOp, offKinks } from './elementwise.ts';
import { kinks } from './samples.ts';

export const minimum = binaryOp('min', {
  name: 'minimum',
  accepts: 'number',
  doc: 'The smaller of two values, elementwise. At a tie each side gets half of the gradient, as torch.minimum.',
  example: 'y = minimum(a, b)',
  vjp: (b, [ct], [x, y]) => {
    const half = B.mul(b, ct!, 0.5);
    const shared = B.where(b, B.eq(b, x!, y!), half, 0);
    return [B.where(b, B.lt(b, x!, y!), ct!, shared), B.where(b, B.lt(b, y!, x!), ct!, shared)];
  },
  // min(x, x) = x
  simplify: (_, [x, y]) => (x === y ? [x!] : undefined),
  domain: [offKinks, fc => kinks(fc)],
  kinks: true,
});
