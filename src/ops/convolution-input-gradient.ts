import * as A from '../ir/affine.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import type { Attrs, Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { checkFloats, multiplyAdd, summation } from './contraction.ts';
import { convolution } from './convolution.ts';
import type { Channels } from './convolution-geometry.ts';
import {
  checkGroups,
  convolutionAttrs,
  fixedSize,
  kernelOf,
  prepareConvolution,
  sharedAttrs,
} from './convolution-geometry.ts';
import { convolutionWeightGradient } from './convolution-weight-gradient.ts';
import { checkWindows, covering, dimList, spatialAttr, spatialAxes, tapsOf, windowOf } from './window.ts';
import { convolutionSample } from './window-samples.ts';

function channelsOf(ct: TensorType, weight: TensorType, attrs: Attrs): Channels {
  const groups = attrs.groups as number;
  const out = fixedSize(weight, 0, 1, 'weight');
  if (!D.isConstant(ct.shape[1]!, out))
    throw new ShapeError(
      `weight has ${out} output channels, ct has ${D.print(ct.shape[1]!)} channels: ` +
        `${printType(ct)} against ${printType(weight)}`,
      { input: 1 },
    );
  checkGroups(out, groups, 1, 'output channels of weight', weight);
  return { groups, inPerGroup: fixedSize(weight, 1, 1, 'weight'), outPerGroup: out / groups };
}

/**
 * Adjoint of `convolution` in x, which is also transposed convolution: ct [N, O, ...] and weight [O, C / groups, ...kernel]
 * give dx [N, C, ...spatial], dx[n, c, i] = sum over the o of c's group and the taps k of ct[n, o, q] * weight[o, c, k],
 * where q = (i + pad_low - k * dilation) / stride is whole and in range. A gather, so no element is written twice.
 */
export const convolutionInputGradient: Primitive = {
  name: 'convolution_input_gradient',
  kind: 'contraction',
  inputs: ['ct', 'weight'],
  attrs: { ...convolutionAttrs, spatial: spatialAttr },
  doc:
    'Adjoint of convolution in x, also known as transposed convolution: from ct [N, O, ...] and weight ' +
    '[O, C / groups, ...kernel] to [N, C, ...spatial].',
  example: 'x = convolution_input_gradient(y, weight, stride = 2, spatial = [28, 28])',
  prepare(types, attrs) {
    const prepared = prepareConvolution('convolution_input_gradient', ['ct', 'weight'], types, attrs);
    return { ...prepared, spatial: dimList('spatial', attrs.spatial, types[0]!.shape.length - 2) };
  },

  infer([ct, weight], attrs) {
    checkFloats([ct!, weight!], ['ct', 'weight']);
    const channels = channelsOf(ct!, weight!, attrs);
    const spatial = attrs.spatial as readonly Dim[];
    checkWindows(windowOf(attrs, kernelOf(weight!)), spatial, ct!, 0, 'ct');
    return [
      {
        dtype: ct!.dtype,
        shape: [ct!.shape[0]!, D.constant(channels.inPerGroup * channels.groups), ...spatial],
      },
    ];
  },

  reference([ct, weight], attrs, [out], precision) {
    const dx = zeros(out!.dtype, concreteShape(out!));
    const [batch, channels, ...spatial] = dx.shape as [number, number, ...number[]];
    const [outChannels, inPerGroup, ...kernel] = weight!.shape as [number, number, ...number[]];
    const outPerGroup = outChannels / (attrs.groups as number);
    const counts = ct!.shape.slice(2);
    const taps = tapsOf(windowOf(attrs, kernel), spatial, counts);
    const [inPlane, kernelPlane, outPlane] = [size(spatial), size(kernel), size(counts)];
    const fma = multiplyAdd(precision);
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outChannels; o++)
        for (let c = 0; c < inPerGroup; c++) {
          const to = (n * channels + Math.floor(o / outPerGroup) * inPerGroup + c) * inPlane;
          const from = (n * outChannels + o) * outPlane;
          const at = (o * inPerGroup + c) * kernelPlane;
          for (const { window, tap, position } of taps)
            dx.data[to + position] = fma(
              dx.data[to + position]!,
              ct!.data[from + window]!,
              weight!.data[at + tap]!,
            );
        }
    return [dx];
  },

  lower(types, attrs, [out]) {
    const [ct, weight] = types as [TensorType, TensorType];
    const { inPerGroup, outPerGroup } = channelsOf(ct, weight, attrs);
    const n = E.axis('n', out!.shape[0]!);
    const c = E.axis('c', out!.shape[1]!);
    const positions = spatialAxes(out!.shape.slice(2));
    const o = E.axis('o', D.constant(outPerGroup));
    const cover = covering(windowOf(attrs, kernelOf(weight)), positions, ct.shape.slice(2));
    const outChannel = A.add(A.mul(A.floordiv(c, inPerGroup), outPerGroup), o);
    return summation(
      types,
      out!,
      [n, c, ...positions],
      [o, ...cover.taps],
      [
        E.load(0, ct, [n, outChannel, ...cover.windows], cover.inside),
        E.load(1, weight, [outChannel, A.mod(c, inPerGroup), ...cover.kernel], cover.inKernel),
      ],
    );
  },

  vjp(b, [ct], [y, weight], _outputs, attrs) {
    if (!ct) return [undefined, undefined];
    const shared = sharedAttrs(attrs);
    return [
      b.emit(convolution, [ct, weight!], shared),
      b.emit(convolutionWeightGradient, [y!, ct], { ...shared, kernel: kernelOf(weight!.type) }),
    ];
  },

  samples: fc =>
    convolutionSample(fc).map(({ attrs, spatial, ct, weight }) => ({
      inputs: [ct, weight],
      attrs: { ...attrs, spatial: spatial.map(D.constant) },
    })),
};
