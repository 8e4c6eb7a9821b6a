import * as M from '../ir/monoid.ts';
import { winnerTakesAll } from './arg-extreme.ts';
import { reduction } from './reduction.ts';
import { distinct, filledWith, kinks } from './samples.ts';

export const reduceMax = reduction({
  name: 'reduce_max',
  doc:
    'The largest element over some axes; of no elements, the lowest finite value. ' +
    'The gradient goes to the first largest one, in row-major order of the folded axes.',
  example: 'y = reduce_max(x, axes = [-1], keep = true)',
  accepts: 'number',
  monoid: M.maximum,
  zero: dtype => M.extreme(dtype, -1),
  step: 'max',
  vjp: winnerTakesAll('max'),
  smooth: distinct,
  nasty: (fc, shape) => filledWith(fc, shape, kinks(fc)),
});
