import { binaryOp } from './elementwise.ts';

export const bitOr = binaryOp('or', {
  name: 'bit_or',
  accepts: 'bits',
  doc: 'The bits that one of two integers has or both have, elementwise.',
  example: 'y = bit_or(a, b)',
});
