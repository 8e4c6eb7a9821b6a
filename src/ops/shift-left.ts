import { binaryOp, patterns } from './elementwise.ts';

export const shiftLeft = binaryOp('shl', {
  name: 'shift_left',
  accepts: 'bits',
  doc:
    'The bits of a moved up by b places, zeros moving in, elementwise. Only ' +
    'the last five bits of b count.',
  example: 'y = shift_left(a, b)',
  integers: [patterns, fc => fc.oneof(fc.integer({ min: 0, max: 31 }), patterns(fc))],
});
