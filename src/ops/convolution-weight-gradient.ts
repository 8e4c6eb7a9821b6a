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
  inputChannel,
  prepareConvolution,
  sharedAttrs,
} from './convolution-geometry.ts';
import { convolutionInputGradient } from './convolution-input-gradient.ts';
import { checkWindows, intList, spatialAxes, tapsOf, underWindow, windowOf } from './window.ts';
import { convolutionSample } from './window-samples.ts';

function channelsOf(ct: TensorType, x: TensorType, attrs: Attrs): Channels {
  const groups = attrs.groups as number;
  const out = fixedSize(ct, 1, 0, 'ct');
  const channels = fixedSize(x, 1, 1, 'x');
  checkGroups(out, groups, 0, 'channels of ct', ct);
  checkGroups(channels, groups, 1, 'channels of x', x);
  return { groups, inPerGroup: channels / groups, outPerGroup: out / groups };
}

/**
 * Adjoint of `convolution` in its weight: ct [N, O, ...] and x [N, C, ...spatial] give dw [O, C / groups, ...kernel],
 * dw[o, c, k] = sum over n and windows y of ct[n, o, y] * x[n, channel(o, c), y * stride + k * dilation - pad_low].
 */
export const convolutionWeightGradient: Primitive = {
  name: 'convolution_weight_gradient',
  kind: 'contraction',
  inputs: ['ct', 'x'],
  attrs: { ...convolutionAttrs, kernel: { type: 'ints', doc: 'extents of the weight' } },
  doc:
    'Adjoint of convolution in its weight: from ct [N, O, ...] and x [N, C, ...spatial] to ' +
    '[O, C / groups, ...kernel].',
  example: 'dw = convolution_weight_gradient(ct, x, kernel = 3, pad_low = 1, pad_high = 1)',
  prepare(types, attrs) {
    const prepared = prepareConvolution('convolution_weight_gradient', ['ct', 'x'], types, attrs);
    return { ...prepared, kernel: intList('kernel', attrs.kernel, types[0]!.shape.length - 2, 1) };
  },

  infer([ct, x], attrs) {
    checkFloats([ct!, x!], ['ct', 'x']);
    if (!D.equal(ct!.shape[0]!, x!.shape[0]!))
      throw new ShapeError(`ct and x differ in batch size: ${printType(ct!)} against ${printType(x!)}`, {
        input: 1,
      });
    const { inPerGroup } = channelsOf(ct!, x!, attrs);
    const window = windowOf(attrs);
    checkWindows(window, x!.shape.slice(2), ct!, 0, 'ct');
    const shape = [ct!.shape[1]!, D.constant(inPerGroup), ...window.kernel.map(D.constant)];
    return [{ dtype: ct!.dtype, shape }];
  },

  reference([ct, x], attrs, [out], precision) {
    const dw = zeros(out!.dtype, concreteShape(out!));
    const [batch, channels, ...spatial] = x!.shape as [number, number, ...number[]];
    const [outChannels, inPerGroup, ...kernel] = dw.shape as [number, number, ...number[]];
    const outPerGroup = outChannels / (attrs.groups as number);
    const counts = ct!.shape.slice(2);
    const taps = tapsOf(windowOf(attrs, kernel), spatial, counts);
    const [inPlane, kernelPlane, outPlane] = [size(spatial), size(kernel), size(counts)];
    const fma = multiplyAdd(precision);
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outChannels; o++)
        for (let c = 0; c < inPerGroup; c++) {
          const right = (n * channels + Math.floor(o / outPerGroup) * inPerGroup + c) * inPlane;
          const left = (n * outChannels + o) * outPlane;
          const to = (o * inPerGroup + c) * kernelPlane;
          for (const { window, tap, position } of taps)
            dw.data[to + tap] = fma(dw.data[to + tap]!, ct!.data[left + window]!, x!.data[right + position]!);
        }
    return [dw];
  },

  lower(types, attrs, [out]) {
    const [ct, x] = types as [TensorType, TensorType];
    const window = windowOf(attrs);
    const o = E.axis('o', out!.shape[0]!);
    const c = E.axis('c', out!.shape[1]!);
    const taps = spatialAxes(out!.shape.slice(2), 'k');
    const n = E.axis('n', ct.shape[0]!);
    const windows = spatialAxes(ct.shape.slice(2));
    const { at, inside } = underWindow(window, windows, taps, x.shape.slice(2));
    return summation(
      types,
      out!,
      [o, c, ...taps],
      [n, ...windows],
      [
        E.load(0, ct, [n, o, ...windows]),
        E.load(1, x, [n, inputChannel(channelsOf(ct, x, attrs), o, c), ...at], inside),
      ],
    );
  },

  vjp(b, [ct], [y, x], _outputs, attrs) {
    if (!ct) return [undefined, undefined];
    const shared = sharedAttrs(attrs);
    return [
      b.emit(convolution, [x!, ct], shared),
      b.emit(convolutionInputGradient, [y!, ct], { ...shared, spatial: x!.type.shape.slice(2) }),
    ];
  },

  samples: fc =>
    convolutionSample(fc).map(({ attrs, kernel, x, ct }) => ({
      inputs: [ct, x],
      attrs: { ...attrs, kernel },
    })),
};
