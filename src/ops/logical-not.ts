import { unaryOp } from './elementwise.ts';

export const logicalNot = unaryOp('not', {
  name: 'logical_not',
  accepts: 'bool',
  doc: 'True where x is false.',
  example: 'y = logical_not(x)',
  // not (not x) = x
  simplify: (_, [x]) => (x!.node.kind === 'op' && x!.node.op === logicalNot ? x!.node.inputs : undefined),
});
