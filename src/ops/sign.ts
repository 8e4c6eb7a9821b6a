import { offKinks, unaryOp } from './elementwise.ts';

export const sign = unaryOp('sign', {
  accepts: 'signed',
  doc: '-1, 0 or 1 with the sign of x, elementwise. Its gradient is 0.',
  example: 'y = sign(x)',
  vjp: () => [undefined],
  domain: [offKinks],
  kinks: true,
});
