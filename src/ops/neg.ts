import * as B from './build.ts';
import { unaryOp } from './elementwise.ts';

export const neg = unaryOp('neg', {
  accepts: 'signed',
  doc: 'The negative, elementwise.',
  example: 'y = neg(x)',
  vjp: (b, [ct]) => [B.neg(b, ct!)],
  // -(-x) = x
  simplify: (_, [x]) => (x!.node.kind === 'op' && x!.node.op === neg ? x!.node.inputs : undefined),
});
