import * as A from '../ir/affine.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { printShape, printType, sameShape } from '../ir/type.ts';
import { dimsOf, filled, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const broadcast: Primitive = {
  name: 'broadcast',
  kind: 'view',
  inputs: ['x'],
  attrs: { shape: { type: 'dims', doc: 'the shape of the result' } },
  doc: 'Repeats x along new leading axes and axes of size 1; axes are aligned from the right.',
  example: 'y = broadcast(bias, shape = [N, 10])',
  prepare: (_, attrs) => ({ shape: dimsOf(attrs.shape, 'broadcast: shape') }),
  infer: (types, attrs) => {
    requireCount('broadcast', ['x'], types);
    const x = types[0]!;
    const shape = dimsOf(attrs.shape, 'broadcast: shape');
    const lead = shape.length - x.shape.length;
    const bad = x.shape.findIndex(
      (d, i) => !D.isConstant(d, 1) && !(shape[i + lead] && D.equal(d, shape[i + lead]!)),
    );
    if (lead < 0 || bad >= 0)
      throw new ShapeError(`broadcast: x is ${printType(x)}, which does not repeat to ${printShape(shape)}`, {
        input: 0,
        hint: lead < 0 ? 'the result has fewer axes' : `axis ${bad} of x is ${D.print(x.shape[bad]!)}, not 1`,
        sizes: bad >= 0 && shape[bad + lead] ? [x.shape[bad]!, shape[bad + lead]!] : undefined,
      });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], _, [out]) => {
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))));
    const lead = result.shape.length - x!.shape.length;
    forEachIndex(result.shape, (at, flat) => {
      const from = x!.shape.map((n, i) => (n === 1 ? 0 : at[i + lead]!));
      result.data[flat] = x!.data[flatIndex(from, x!.shape)]!;
    });
    return [result];
  },
  lower: ([x], _, [out]) => {
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const lead = axes.length - x!.shape.length;
    const at = x!.shape.map((d, i) => (D.isConstant(d, 1) ? A.index(0) : A.index(axes[i + lead]!)));
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, at) }] };
  },
  vjp: (b, [ct], [x], [y]) => {
    const lead = y!.type.shape.length - x!.type.shape.length;
    const repeated = y!.type.shape.flatMap((d, i) => {
      const own = x!.type.shape[i - lead];
      return !own || (D.isConstant(own, 1) && !D.isConstant(d, 1)) ? [i] : [];
    });
    const summed = repeated.length === 0 ? ct! : B.reduceSum(b, ct!, repeated);
    return [B.reshape(b, summed, x!.type.shape)];
  },
  simplify: (b, [x], _, [y]) => {
    // broadcast(x, shape of x) = x
    if (sameShape(x!.type.shape, y!.type.shape)) return [x!];
    // broadcast(broadcast(x, s), t) = broadcast(x, t)
    if (x!.node.kind === 'op' && x!.node.op === broadcast)
      return [B.broadcastTo(b, x!.node.inputs[0]!, y!.type.shape)];
    return undefined;
  },
  samples: fc =>
    fc
      .tuple(shapes(fc), shapes(fc, { maxRank: 2 }), fc.integer({ min: 0, max: 7 }))
      .chain(([inner, lead, ones]) => {
        const from = inner.map((n, i) => ((ones >> i) & 1 ? 1 : n));
        return fc.record({
          inputs: fc.tuple(filledWith(fc, from, floats(fc))),
          attrs: fc.constant({ shape: [...lead, ...inner] }),
        });
      }),
};
