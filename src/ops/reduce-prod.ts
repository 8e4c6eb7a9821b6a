import * as M from '../ir/monoid.ts';
import * as B from './build.ts';
import { axesIn, reduction, spread } from './reduction.ts';
import { filledWith, floats } from './samples.ts';

/**
 * The gradient is the product of the other factors, without dividing by zero: with p the product of the factors
 * that are not 0, q = p / x where x is not 0 and p where it is,
 *   no other factor is 0: q;  one other factor x_z is 0: q x_z;  more: 0.
 * The second case is 0, but it has the right slope, so second derivatives are exact too.
 */
export const reduceProd = reduction({
  name: 'reduce_prod',
  doc: 'The product over some axes; of no elements, 1. Its gradient is exact where factors are 0.',
  example: 'y = reduce_prod(x, axes = [1])',
  accepts: 'number',
  monoid: M.product,
  zero: () => 1,
  step: 'mul',
  vjp: (b, [ct], [x], _, attrs) => {
    const axes = axesIn(attrs);
    const isZero = B.eq(b, x!, 0);
    const safe = B.where(b, isZero, 1, x!);
    const quotient = B.div(b, B.reduceProd(b, safe, axes, true), safe);
    const zero = B.cast(b, isZero, 'i32');
    const zeroHere = B.where(b, isZero, x!, 0);
    const zerosElsewhere = B.sub(b, B.reduceSum(b, zero, axes, true), zero);
    const zeroElsewhere = B.sub(b, B.reduceSum(b, zeroHere, axes, true), zeroHere);
    const one = B.where(b, B.eq(b, zerosElsewhere, 1), zeroElsewhere, 0);
    const factor = B.where(b, B.eq(b, zerosElsewhere, 0), 1, one);
    return [B.mul(b, spread(b, ct!, x!.type, axes), B.mul(b, quotient, factor))];
  },
  smooth: (fc, shape) =>
    filledWith(
      fc,
      shape,
      fc.oneof(
        { weight: 4, arbitrary: floats(fc, 0.5, 1.5) },
        { weight: 1, arbitrary: fc.constantFrom(0, -1) },
      ),
    ),
  nasty: (fc, shape) => filledWith(fc, shape, fc.constantFrom(0, 0, 1, -1, 2)),
});
