import { binaryOp } from './elementwise.ts';

export const bitXor = binaryOp('xor', {
  name: 'bit_xor',
  accepts: 'bits',
  doc:
    'The bits that exactly one of two integers has, elementwise. `bit_xor(a, ' +
    '-1)` turns all bits of an `i32` over.',
  example: 'y = bit_xor(a, b)',
});
