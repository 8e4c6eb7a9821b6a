import * as M from '../ir/monoid.ts';
import type { Later, Primitive } from '../ir/primitive.ts';
import * as B from './build.ts';
import { axesIn, reduction, spread } from './reduction.ts';
import { filledWith, floats, kinks } from './samples.ts';

export const reduceSum: Primitive = {
  ...reduction({
    name: 'reduce_sum',
    doc: 'The sum over some axes; of no elements, 0.',
    example: 'y = reduce_sum(x, axes = [1, 2], keep = true)',
    accepts: 'number',
    monoid: M.sum,
    zero: () => 0,
    step: 'add',
    vjp: (b, [ct], [x], _, attrs) => [spread(b, ct!, x!.type, axesIn(attrs))],
    smooth: (fc, shape) => filledWith(fc, shape, floats(fc)),
    nasty: (fc, shape) => filledWith(fc, shape, kinks(fc)),
  }),
  sumOfTurns: ([x], attrs) => {
    const stack = x!.stack();
    const total: Later = b => B.reduceSum(b, stack(b), [0, ...axesIn(attrs).map(a => a + 1)]);
    if (attrs.keep !== true) return total;
    const shape = x!.type.shape.map((d, i) => (axesIn(attrs).includes(i) ? 1 : d));
    return b => B.reshape(b, total(b), shape);
  },
};
