import { type Attrs, named, type Translation, Untranslated } from './attrs.ts';

export const convolutionArguments = (attrs: Attrs): string =>
  convolutionPadding(attrs) +
  named({
    stride: attrs.ints('stride'),
    dilation: attrs.ints('dilation'),
    groups: attrs.number('groups'),
  });

/** PyTorch's padding "same" is an argument of its own here, "valid" is none. */
function convolutionPadding(attrs: Attrs): string {
  const padding = attrs.get('padding');
  if (padding === 'same') return named({ same: true });
  return padding === 'valid' ? '' : named({ pad: attrs.ints('padding') });
}

const convolution =
  (spatial: number): Translation =>
  ([x, weight, bias], attrs) =>
    `conv${spatial}d(${x}, ${weight}${named({ bias })}${convolutionArguments(attrs)})`;

const transposed =
  (spatial: number): Translation =>
  ([x, weight, bias], attrs) => {
    const more = named({ out_pad: attrs.ints('output_padding') });
    return `conv_transpose${spatial}d(${x}, ${weight}${named({ bias })}${convolutionArguments(attrs)}${more})`;
  };

const linear: Translation = args => `linear(${args.join(', ')})`;

/** What pooling has in common; windows may be as far apart as they are wide. */
const windows = (attrs: Attrs): string =>
  attrs.ints('kernel_size') +
  named({ stride: attrs.ints('stride'), pad: attrs.ints('padding'), ceil: attrs.boolean('ceil_mode') });

const maxPool: Translation = ([x], attrs) =>
  `max_pool(${x}, ${windows(attrs)}${named({ dilation: attrs.ints('dilation') })})`;

const averagePool: Translation = ([x], attrs) => {
  const elements = {
    count_pad: attrs.boolean('count_include_pad'),
    divisor: attrs.number('divisor_override'),
  };
  return `avg_pool(${x}, ${windows(attrs)}${named(elements)})`;
};

const powerPool: Translation = ([x], attrs) =>
  `lp_pool(${x}, ${attrs.number('norm_type')}, ${windows(attrs)})`;

const adaptivePool =
  (kind: 'avg' | 'max'): Translation =>
  ([x], attrs) => {
    const isOne = [attrs.get('output_size')].flat().every(n => n === 1);
    return isOne ? `global_${kind}_pool(${x})` : `adaptive_${kind}_pool(${x}, ${attrs.ints('output_size')})`;
  };

/** Per-channel factors and offsets, where they are given. */
const affine = (y: string, x: string, weight?: string, bias?: string): string => {
  const scaled = weight ? `${y} * per_channel(${weight}, ${x})` : y;
  return bias ? `${scaled} + per_channel(${bias}, ${x})` : scaled;
};

const eps = (attrs: Attrs): string => named({ eps: attrs.number('eps') });

/** Running averages are not among the results of a case, so training is a matter of the batch alone. */
const batchNorm: Translation = ([x, weight, bias, mean, variance], attrs) => {
  attrs.get('momentum');
  if (attrs.boolean('training'))
    return affine(`standardise(${x}, [0] + (2..rank(${x}))${eps(attrs)})`, x!, weight, bias);
  return `scale_channels(${x}, ${mean}, ${variance}${named({ weight, bias })}${eps(attrs)})`;
};

const layerNorm: Translation = ([x, weight, bias], attrs) => {
  const axes = attrs.list('normalized_shape').map((_, i, all) => i - all.length);
  const y = `standardise(${x}, [${axes.join(', ')}]${eps(attrs)})`;
  return `${y}${weight ? ` * ${weight}` : ''}${bias ? ` + ${bias}` : ''}`;
};

const groupNorm: Translation = ([x, weight, bias], attrs) =>
  affine(`standardise_groups(${x}, ${attrs.number('num_groups')}${eps(attrs)})`, x!, weight, bias);

const instanceNorm: Translation = ([x, weight, bias], attrs) =>
  affine(`standardise(${x}, 2..rank(${x})${eps(attrs)})`, x!, weight, bias);

const rmsNorm: Translation = ([x, weight], attrs) => {
  const axes = attrs.list('normalized_shape').map((_, i, all) => i - all.length);
  const y = `${x} / sqrt(mean(${x} ^ 2, axis = [${axes.join(', ')}], keep = true) + ${attrs.number('eps') ?? 2 ** -23})`;
  return weight ? `${y} * ${weight}` : y;
};

const localNorm: Translation = ([x], attrs) => {
  const given = { alpha: attrs.number('alpha'), beta: attrs.number('beta'), k: attrs.number('k') };
  return `lrn(${x}, ${attrs.number('size')}${named(given)})`;
};

/** `upsample` and `interpolate`, to a size or by a factor. */
const resize: Translation = ([x], attrs) => {
  const mode = attrs.get('mode') ?? 'nearest';
  if (mode !== 'nearest' && mode !== 'bilinear') throw new Untranslated(`resizing by mode ${String(mode)}`);
  const given = { mode: `"${mode}"`, align_corners: attrs.boolean('align_corners') };
  if (attrs.get('size') === undefined)
    return `upsample(${x}, ${wholes(attrs, 'scale_factor')}${named(given)})`;
  const [height, width] = attrs.list('size');
  return `resize(${x}, ${height}, ${width}${named(given)})`;
};

function wholes(attrs: Attrs, name: string): string {
  const value = attrs.get(name);
  if ([value].flat().every(Number.isInteger)) return attrs.ints(name)!;
  throw new Untranslated(`resizing by ${JSON.stringify(value)}`);
}

/** Convolution, pooling, normalisation, sizes of images. */
export const layerTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['linear', linear],
  ['conv1d', convolution(1)],
  ['conv2d', convolution(2)],
  ['conv3d', convolution(3)],
  ...[1, 2, 3].flatMap((n): [string, Translation][] => [
    [`conv_transpose${n}d`, transposed(n)],
    [`max_pool${n}d`, maxPool],
    [`avg_pool${n}d`, averagePool],
    [`lp_pool${n}d`, powerPool],
    [`adaptive_avg_pool${n}d`, adaptivePool('avg')],
    [`adaptive_max_pool${n}d`, adaptivePool('max')],
  ]),
  ['batch_norm', batchNorm],
  ['layer_norm', layerNorm],
  ['group_norm', groupNorm],
  ['instance_norm', instanceNorm],
  ['rms_norm', rmsNorm],
  ['local_response_norm', localNorm],
  ['upsample', resize],
  ['interpolate', resize],
  ['pixel_shuffle', ([x], attrs) => `pixel_shuffle(${x}, ${attrs.number('upscale_factor')})`],
  ['pixel_unshuffle', ([x], attrs) => `pixel_unshuffle(${x}, ${attrs.number('downscale_factor')})`],
]);
