import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { printType } from '../ir/type.ts';

/**
 * Derivative of a scalar with respect to any values of the same graph. A macro: the pass `differentiate` replaces it
 * by the backward graph, inner ones first, so a loss may itself contain gradients.
 */
export const gradient: Primitive = {
  name: 'gradient',
  kind: 'macro',
  inputs: ['of', 'wrt...'],
  attrs: {},
  doc: 'Gradient of the scalar `of` with respect to each `wrt`; one output per `wrt`, of the same type.',
  example: 'g = grad(sum(y), x)',
  infer: ([of, ...wrt]) => {
    if (!of || of.shape.length > 0 || of.dtype !== 'f32')
      throw new ShapeError(`a gradient is taken of a scalar f32, not of ${of ? printType(of) : 'nothing'}`, {
        input: 0,
        hint: 'reduce it first, with `mean(...)` or `sum(...)`',
      });
    wrt.forEach((type, i) => {
      if (type.dtype !== 'f32')
        throw new ShapeError(`cannot differentiate with respect to ${printType(type)}`, { input: i + 1 });
    });
    return wrt;
  },
  reference: () => {
    throw new Error('`gradient` has no value of its own: run the pass `differentiate` first');
  },
};
