import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import * as Monoids from '../../ir/monoid.ts';
import type { Tensor, Work } from '../../ir/program.ts';
import { tensor as tensorType } from '../../ir/type.ts';
import { axesOf, type Product } from './product.ts';
import { trimInputs } from './split.ts';

/**
 * The largest element of a row (of the left factor; a column of the right one) becomes this: of what is then below 2^14, an
 * f16 and the rest as another f16 hold 22 bits, down to 2^-25, and the largest sums stay far inside f32.
 */
const largest = 2 ** 14;

/** Rows of less than this count as if they had it, so that no scale overflows. */
const least = 2 ** -112;

/**
 * A product of f32 whose factors are to be taken as two f16 each, which have no range to speak of. So rows and columns
 * are scaled by their largest element, which is found first, and the results back:
 *
 *     c[i, j] = sum over k of a[i, k] * b[k, j]
 *  -> s[i] = 2^14 / max over k of |a[i, k]|;  t[j] = 2^14 / max over k of |b[k, j]|;
 *     c[i, j] = (sum over k of (a[i, k] * s[i]) * (b[k, j] * t[j])) / s[i] / t[j]
 *
 * Gives the works that find the scales, and the product.
 */
export function scaleProduct(
  work: Work,
  compute: Compute,
  p: Product,
  factors: readonly ('left' | 'right')[],
  nextTensor: (name: string, type: Tensor['type'], origin: Work['origin']) => Tensor,
): { scales: readonly Work[]; product: Work; temporaries: readonly Tensor[] } {
  const reduce = compute.reduce!;
  const scaled = factors.map((which, i) => {
    const own = axesOf(p[which]);
    const axes = compute.axes.filter(a => own.has(a));
    const type = tensorType(
      'f32',
      axes.map(a => a.extent),
    );
    const tensor = nextTensor(`${work.name}_${which}_scale`, type, work.origin);
    const scale = E.load(work.inputs.length + i, type, axes.map(A.index));
    return { which, tensor, scale, work: scaleWork(work, compute, p[which], axes, tensor) };
  });
  const temporaries = scaled.map(s => s.tensor);
  const times = (which: 'left' | 'right'): Expr => {
    const found = scaled.find(s => s.which === which);
    return found ? E.mul(p[which], found.scale) : p[which];
  };
  // In this order nothing overflows that the result does not.
  const back = (sum: Expr): Expr =>
    scaled.reduce(
      (value, { scale }) => E.mul(value, E.binary('div', E.constant(largest), scale)),
      E.mul(sum, E.constant(largest ** -scaled.length)),
    );
  const stage: Compute = {
    ...compute,
    inputs: [...compute.inputs, ...temporaries.map(t => t.type)],
    reduce: { ...reduce, lift: [E.mul(times('left'), times('right'))] },
    outs: compute.outs.map(out => ({ ...out, value: E.mapExpr(out.value, { reduced: back }) })),
  };
  const product: Work = {
    ...work,
    inputs: [...work.inputs, ...temporaries],
    region: { outer: [], stages: [stage] },
  };
  return { scales: scaled.map(s => s.work), product, temporaries };
}

function scaleWork(
  work: Work,
  { inputs, reduce }: Compute,
  factor: Expr,
  axes: readonly Axis[],
  tensor: Tensor,
): Work {
  const monoid = Monoids.maximum('f32');
  const most = E.binary('max', E.reduced(0, monoid), E.constant(least));
  const own = axesOf(factor);
  const folded = reduce!.axes.filter(a => own.has(a));
  const stage: Compute = {
    inputs,
    axes,
    reduce: {
      axes: folded.length > 0 ? folded : reduce!.axes,
      lift: [E.unary('abs', factor)],
      monoid,
    },
    outs: [{ type: tensor.type, value: E.binary('div', E.constant(largest), most) }],
  };
  const scale = {
    ...work,
    name: tensor.name,
    region: { outer: [], stages: [stage] },
    outputs: [tensor],
    absorbed: ['scale'],
  };
  return trimInputs(scale);
}
