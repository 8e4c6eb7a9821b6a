import type { Primitive } from '../ir/primitive.ts';
import * as B from './build.ts';
import { binaryOp } from './elementwise.ts';

export const add: Primitive = {
  ...binaryOp('add', {
    accepts: 'number',
    doc: 'The sum, elementwise.',
    example: 'y = a + b',
    vjp: (_, [ct]) => [ct, ct],
    // x + 0 = x;  0 + x = x
    simplify: (_, [x, y]) => (B.constantOf(y!) === 0 ? [x!] : B.constantOf(x!) === 0 ? [y!] : undefined),
  }),
  sumOfTurns: inputs => {
    const [left, right] = inputs.map(x => x.total());
    return b => B.add(b, left!(b), right!(b));
  },
};
