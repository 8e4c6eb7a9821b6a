import * as M from '../ir/monoid.ts';
import { axesIn, reduction, spread } from './reduction.ts';
import { filledWith, floats, kinks } from './samples.ts';

export const reduceSum = reduction({
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
});
