import { binaryOp } from './elementwise.ts';

export const logicalOr = binaryOp('or', {
  name: 'logical_or',
  accepts: 'bool',
  doc: 'True where at least one is true.',
  example: 'y = logical_or(a, b)',
});
