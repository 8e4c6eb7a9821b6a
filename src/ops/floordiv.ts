import { binaryOp, offKinks } from './elementwise.ts';
import { integers, kinks } from './samples.ts';

export const floordiv = binaryOp('floordiv', {
  accepts: 'number',
  doc: 'The quotient rounded towards minus infinity, elementwise; of an integer by 0, 0. Its gradient is 0.',
  example: 'y = a ~/ b',
  vjp: () => [undefined, undefined],
  domain: [offKinks, fc => fc.constantFrom(0.5, 1, 2, -0.5, -1)],
  kinks: [fc => kinks(fc), fc => fc.constantFrom(0.5, 1, 2, -0.5, -1)],
  integers: [fc => integers(fc, -40, 40), fc => fc.constantFrom(1, 2, 3, 7, -1, -3, 0)],
});
