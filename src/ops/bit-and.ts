import { binaryOp } from './elementwise.ts';

export const bitAnd = binaryOp('and', {
  name: 'bit_and',
  accepts: 'bits',
  doc: 'The bits that both integers have, elementwise.',
  example: 'y = bit_and(a, b)',
});
