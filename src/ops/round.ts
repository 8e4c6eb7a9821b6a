import { offKinks, unaryOp } from './elementwise.ts';

export const round = unaryOp('round', {
  accepts: 'float',
  doc: 'The nearest integer, halves to the even one, elementwise. Its gradient is 0.',
  example: 'y = round(x)',
  vjp: () => [undefined],
  domain: [offKinks],
  kinks: true,
});
