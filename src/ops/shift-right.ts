import { binaryOp, patterns } from './elementwise.ts';

export const shiftRight = binaryOp('shr', {
  name: 'shift_right',
  accepts: 'bits',
  doc:
    'The bits of a moved down by b places, elementwise; copies of the sign move ' +
    'in for `i32`, zeros for `u32`. Only the last five bits of b count.',
  example: 'y = shift_right(a, b)',
  integers: [patterns, fc => fc.oneof(fc.integer({ min: 0, max: 31 }), patterns(fc))],
});
