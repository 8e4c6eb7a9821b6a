import { binaryOp } from './elementwise.ts';

export const logicalAnd = binaryOp('and', {
  name: 'logical_and',
  accepts: 'bool',
  doc: 'True where both are true.',
  example: 'y = logical_and(a, b)',
});
