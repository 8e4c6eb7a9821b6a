import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import type { Attrs, Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { checkFloats, multiplyAdd, summation } from './contraction.ts';
import type { Channels } from './convolution-geometry.ts';
import {
  checkGroups,
  convolutionAttrs,
  fixedSize,
  inputChannel,
  kernelOf,
  prepareConvolution,
  sharedAttrs,
} from './convolution-geometry.ts';
import { convolutionInputGradient } from './convolution-input-gradient.ts';
import { convolutionWeightGradient } from './convolution-weight-gradient.ts';
import { kernelAxes, spatialAxes, tapsOf, underWindow, windowCounts, windowOf } from './window.ts';
import { convolutionSample } from './window-samples.ts';

function channelsOf(x: TensorType, weight: TensorType, attrs: Attrs): Channels {
  const groups = attrs.groups as number;
  const out = fixedSize(weight, 0, 1, 'weight');
  const inPerGroup = fixedSize(weight, 1, 1, 'weight');
  checkGroups(out, groups, 1, 'output channels of weight', weight);
  if (!D.isConstant(x.shape[1]!, inPerGroup * groups))
    throw new ShapeError(
      `weight has ${inPerGroup} input channels per group, x has ${D.print(x.shape[1]!)} channels ` +
        `(groups = ${groups}): ${printType(x)} against ${printType(weight)}`,
      { input: 1 },
    );
  return { groups, inPerGroup, outPerGroup: out / groups };
}

/**
 * Cross-correlation of x [N, C, ...spatial] with weight [O, C / groups, ...kernel], as every framework's "convolution":
 * out[n, o, y] = sum over c, k of x[n, group(o) * C / groups + c, y * stride + k * dilation - pad_low] * weight[o, c, k],
 * where padding counts 0. Any number of spatial dims.
 */
export const convolution: Primitive = {
  name: 'convolution',
  kind: 'contraction',
  inputs: ['x', 'weight'],
  attrs: convolutionAttrs,
  doc:
    'Convolution of x [N, C, ...spatial] with weight [O, C / groups, ...kernel] (not flipped) in any number of spatial ' +
    'dims; gives [N, O, ...] with floor((size + pad_low + pad_high - dilation * (kernel - 1) - 1) / stride) + 1 positions.',
  example: 'y = convolution(x, weight, stride = 2, pad_low = 1, pad_high = 1)',
  prepare: (types, attrs) => prepareConvolution('convolution', ['x', 'weight'], types, attrs),

  infer([x, weight], attrs) {
    checkFloats([x!, weight!], ['x', 'weight']);
    channelsOf(x!, weight!, attrs);
    const window = windowOf(attrs, kernelOf(weight!));
    const counts = windowCounts(window, x!.shape.slice(2), x!, 0);
    return [{ dtype: x!.dtype, shape: [x!.shape[0]!, weight!.shape[0]!, ...counts] }];
  },

  reference([x, weight], attrs, [out], precision) {
    const y = zeros(out!.dtype, concreteShape(out!));
    const [batch, channels, ...spatial] = x!.shape as [number, number, ...number[]];
    const [outChannels, inPerGroup, ...kernel] = weight!.shape as [number, number, ...number[]];
    const outPerGroup = outChannels / (attrs.groups as number);
    const counts = y.shape.slice(2);
    const taps = tapsOf(windowOf(attrs, kernel), spatial, counts);
    const [inPlane, kernelPlane, outPlane] = [size(spatial), size(kernel), size(counts)];
    const fma = multiplyAdd(precision);
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outChannels; o++)
        for (let c = 0; c < inPerGroup; c++) {
          const from = (n * channels + Math.floor(o / outPerGroup) * inPerGroup + c) * inPlane;
          const to = (n * outChannels + o) * outPlane;
          const at = (o * inPerGroup + c) * kernelPlane;
          for (const { window, tap, position } of taps)
            y.data[to + window] = fma(
              y.data[to + window]!,
              x!.data[from + position]!,
              weight!.data[at + tap]!,
            );
        }
    return [y];
  },

  lower(types, attrs, [out]) {
    const [x, weight] = types as [TensorType, TensorType];
    const channels = channelsOf(x, weight, attrs);
    const window = windowOf(attrs, kernelOf(weight));
    const n = E.axis('n', out!.shape[0]!);
    const o = E.axis('o', out!.shape[1]!);
    const windows = spatialAxes(out!.shape.slice(2));
    const c = E.axis('c', D.constant(channels.inPerGroup));
    const taps = kernelAxes(window);
    const { at, inside } = underWindow(window, windows, taps, x.shape.slice(2));
    return summation(
      types,
      out!,
      [n, o, ...windows],
      [c, ...taps],
      [E.load(0, x, [n, inputChannel(channels, o, c), ...at], inside), E.load(1, weight, [o, c, ...taps])],
    );
  },

  vjp(b, [ct], [x, weight], _outputs, attrs) {
    if (!ct) return [undefined, undefined];
    const shared = sharedAttrs(attrs);
    return [
      b.emit(convolutionInputGradient, [ct, weight!], { ...shared, spatial: x!.type.shape.slice(2) }),
      b.emit(convolutionWeightGradient, [ct, x!], { ...shared, kernel: kernelOf(weight!.type) }),
    ];
  },

  samples: fc => convolutionSample(fc).map(({ attrs, x, weight }) => ({ inputs: [x, weight], attrs })),
};
