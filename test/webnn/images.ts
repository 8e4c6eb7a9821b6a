import { float, type Value } from '../onnx/writer.ts';
import type { Call } from './call.ts';

type Rule = (c: Call) => readonly Value[];

const layouts: Readonly<Record<string, readonly number[]>> = {
  nchw: [0, 1, 2, 3],
  nhwc: [0, 3, 1, 2],
  oihw: [0, 1, 2, 3],
  hwio: [3, 2, 0, 1],
  ohwi: [0, 3, 1, 2],
  ihwo: [3, 0, 1, 2],
  iohw: [0, 1, 2, 3],
  hwoi: [3, 2, 0, 1],
};
/** Filters of transposed convolution begin with the channels of the input. */
const transposedLayouts: Readonly<Record<string, readonly number[]>> = {
  ...layouts,
  ohwi: [3, 0, 1, 2],
};

/** WebNN's padding is [beginning, ending] of the height, then of the width. */
const pads = (given: readonly number[] = [0, 0, 0, 0]): number[] => [
  given[0]!,
  given[2]!,
  given[1]!,
  given[3]!,
];

function image(c: Call): { x: Value; back: (y: Value) => Value } {
  const layout = c.string('layout', c.string('inputLayout', 'nchw'));
  const order = layouts[layout]!;
  return {
    x: c.permuted(c.operand('input'), order),
    back: y => c.permuted(y, layout === 'nchw' ? [0, 1, 2, 3] : [0, 2, 3, 1]),
  };
}

function conv(c: Call): readonly Value[] {
  const { x, back } = image(c);
  const filter = c.permuted(c.operand('filter'), layouts[c.string('filterLayout', 'oihw')]!);
  const y = c.onnx('Conv', [x, filter, c.optional('bias')], {
    strides: c.numbers('strides'),
    dilations: c.numbers('dilations'),
    group: c.number('groups'),
    pads: pads(c.numbers('padding')),
  });
  return [back(y[0]!)];
}

function convTranspose(c: Call): readonly Value[] {
  const { x, back } = image(c);
  const filter = c.permuted(c.operand('filter'), transposedLayouts[c.string('filterLayout', 'iohw')]!);
  const edges = pads(c.numbers('padding'));
  const [strides, dilations] = [c.numbers('strides') ?? [1, 1], c.numbers('dilations') ?? [1, 1]];
  const sizes = c.numbers('outputSizes');
  const more = c.numbers('outputPadding');
  const extra = sizes?.map((s, i) => {
    const span = dilations[i]! * (filter.shape[i + 2]! - 1) + 1;
    return s - ((x.shape[i + 2]! - 1) * strides[i]! + span - edges[i]! - edges[i + 2]!);
  });
  const y = c.onnx('ConvTranspose', [x, filter, c.optional('bias')], {
    strides,
    dilations,
    group: c.number('groups'),
    pads: edges,
    output_padding: extra ?? more,
  });
  return [back(y[0]!)];
}

const pool =
  (op: string): Rule =>
  c => {
    const { x, back } = image(c);
    const kernel = c.numbers('windowDimensions') ?? x.shape.slice(2);
    const edges = pads(c.numbers('padding'));
    const strides = c.numbers('strides') ?? [1, 1];
    const dilations = c.numbers('dilations') ?? [1, 1];
    const sizes = c.numbers('outputSizes');
    const rounding = c.string('outputShapeRounding', c.string('roundingType', 'floor'));
    const floored = kernel.map((k, i) => {
      const span = dilations[i]! * (k - 1) + 1;
      return Math.floor((x.shape[i + 2]! + edges[i]! + edges[i + 2]! - span) / strides[i]!) + 1;
    });
    const ceil = sizes ? sizes.some((s, i) => s > floored[i]!) : rounding === 'ceil';
    const y = c.onnx(op, [x], {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: edges,
      ceil_mode: ceil ? 1 : 0,
      ...(op === 'LpPool' && { p: 2 }),
    });
    return [back(y[0]!)];
  };

function instanceNormalization(c: Call): readonly Value[] {
  const { x, back } = image(c);
  const y = c.text(`standardise(${x.text}, 2..4, ${float(c.number('epsilon') ?? 1e-5)})`, x.element);
  const [scale, bias] = ['scale', 'bias'].map(k => c.optional(k));
  const scaled = scale ? `${y.text} * per_channel(${scale.text}, ${x.text})` : y.text;
  return [back(c.text(bias ? `${scaled} + per_channel(${bias.text}, ${x.text})` : scaled, x.element))];
}

function resample(c: Call): readonly Value[] {
  const x = c.operand('input');
  const axes = c.numbers('axes') ?? [2, 3];
  const sizes = c.numbers('sizes');
  const scales = c.numbers('scales') ?? [1, 1];
  const linear = c.string('mode', 'nearest-neighbor') === 'linear';
  const none = undefined;
  const inputs = sizes
    ? [x, none, none, c.integers(sizes)]
    : [x, none, { ...c.integers([]), shape: [2], constant: () => scales }];
  return c.onnx('Resize', inputs, {
    axes,
    mode: linear ? 'linear' : 'nearest',
    coordinate_transformation_mode: 'half_pixel',
    nearest_mode: 'round_prefer_ceil',
  });
}

export const images: Readonly<Record<string, Rule>> = {
  conv2d: conv,
  convTranspose2d: convTranspose,
  averagePool2d: pool('AveragePool'),
  l2Pool2d: pool('LpPool'),
  maxPool2d: pool('MaxPool'),
  instanceNormalization,
  resample2d: resample,
};
