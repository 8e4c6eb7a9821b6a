import { offKinks, unaryOp } from './elementwise.ts';

export const floor = unaryOp('floor', {
  accepts: 'float',
  doc: 'The largest integer <= x, elementwise. Its gradient is 0.',
  example: 'y = floor(x)',
  vjp: () => [undefined],
  domain: [offKinks],
  kinks: true,
});
