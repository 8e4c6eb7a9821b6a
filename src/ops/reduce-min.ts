import * as M from '../ir/monoid.ts';
import { winnerTakesAll } from './arg-extreme.ts';
import { reduction } from './reduction.ts';
import { distinct, filledWith, kinks } from './samples.ts';

export const reduceMin = reduction({
  name: 'reduce_min',
  doc:
    'The smallest element over some axes; of no elements, the highest finite value. ' +
    'The gradient goes to the first smallest one, in row-major order of the folded axes.',
  example: 'y = reduce_min(x, axes = [-1], keep = true)',
  accepts: 'number',
  monoid: M.minimum,
  zero: dtype => M.extreme(dtype, 1),
  step: 'min',
  vjp: winnerTakesAll('min'),
  smooth: distinct,
  nasty: (fc, shape) => filledWith(fc, shape, kinks(fc)),
});
