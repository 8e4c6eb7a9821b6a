import { offKinks, unaryOp } from './elementwise.ts';

export const ceil = unaryOp('ceil', {
  accepts: 'float',
  doc: 'The smallest integer >= x, elementwise. Its gradient is 0.',
  example: 'y = ceil(x)',
  vjp: () => [undefined],
  domain: [offKinks],
  kinks: true,
});
