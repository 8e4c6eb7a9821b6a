import { type Attrs, named, type Translation } from './attrs.ts';

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
  const mode = attrs.get('padding_mode');
  const pad_mode = mode === undefined || mode === 'zeros' ? undefined : JSON.stringify(mode);
  if (padding === 'same') return named({ same: true, pad_mode });
  return named({ pad: padding === 'valid' ? undefined : attrs.ints('padding'), pad_mode });
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

const maxPool: Translation = ([x], attrs) => {
  const name = attrs.boolean('return_indices') ? 'max_pool_indices' : 'max_pool';
  return `${name}(${x}, ${windows(attrs)}${named({ dilation: attrs.ints('dilation') })})`;
};

const maxPoolIndices: Translation = ([x], attrs) => {
  attrs.get('return_indices');
  return `max_pool_indices(${x}, ${windows(attrs)}${named({ dilation: attrs.ints('dilation') })})`;
};

/** `output_size` may have leading batch and channel sizes. */
const unpool =
  (spatial: number): Translation =>
  ([x, index], attrs) => {
    const size = attrs.get('output_size');
    const last = Array.isArray(size) ? `[${size.slice(-spatial).join(', ')}]` : undefined;
    return `max_unpool(${x}, ${index}, ${windows(attrs)}${named({ size: last })})`;
  };

const fractionalPool =
  (spatial: number): Translation =>
  ([x, draws], attrs) => {
    const kernel = attrs.ints('kernel_size');
    const out = attrs.ints('output_size');
    const ratio = [attrs.get('output_ratio') ?? []].flat() as number[];
    const parts = Array.from({ length: spatial }, (_, i) => ratio[i] ?? ratio[0]);
    const sizes = parts.map((r, i) => `floor(shape(${x})[${i + 2}] * ${r})`);
    return `fractional_max_pool_at(${x}, ${draws}, ${kernel}, ${out ?? `[${sizes.join(', ')}]`})`;
  };

const averagePool: Translation = ([x], attrs) => {
  const elements = {
    count_pad: attrs.boolean('count_include_pad'),
    divisor: attrs.number('divisor_override'),
  };
  return `avg_pool(${x}, ${windows(attrs)}${named(elements)})`;
};

/** Odd powers keep their sign in PyTorch. */
const powerPool: Translation = ([x], attrs) => {
  const p = attrs.number('norm_type')!;
  return `lp_pool(${x}, ${p}, ${windows(attrs)}${named({ signed: p % 2 === 1 || undefined })})`;
};

/** Without a size, an axis stays; here that is 0. */
const adaptivePool =
  (kind: 'avg' | 'max', spatial: number): Translation =>
  ([x], attrs) => {
    const given = [attrs.get('output_size')].flat().map(n => n ?? 0);
    const sizes = Array.from({ length: spatial }, (_, i) => given[i] ?? given[0]);
    if (attrs.boolean('return_indices')) return `adaptive_max_pool_indices(${x}, [${sizes.join(', ')}])`;
    const isOne = sizes.every(n => n === 1);
    return isOne ? `global_${kind}_pool(${x})` : `adaptive_${kind}_pool(${x}, [${sizes.join(', ')}])`;
  };

const adaptiveIndices: Translation = ([x], attrs) => {
  attrs.get('return_indices');
  const given = [attrs.get('output_size')].flat().map(n => n ?? 0);
  return `adaptive_max_pool_indices(${x}, ${given.length === 1 ? given[0] : `[${given.join(', ')}]`})`;
};

/** Per-channel factors and offsets, where they are given. */
const affine = (y: string, x: string, weight?: string, bias?: string): string => {
  const scaled = weight ? `${y} * per_channel(${weight}, ${x})` : y;
  return bias ? `${scaled} + per_channel(${bias}, ${x})` : scaled;
};

const eps = (attrs: Attrs): string => named({ eps: attrs.number('eps') });

const layerNorm: Translation = ([x, weight, bias], attrs) => {
  const axes = attrs.list('normalized_shape').map((_, i, all) => i - all.length);
  const y = `standardise(${x}, [${axes.join(', ')}]${eps(attrs)})`;
  return `${y}${weight ? ` * ${weight}` : ''}${bias ? ` + ${bias}` : ''}`;
};

const groupNorm: Translation = ([x, weight, bias], attrs) =>
  affine(`standardise_groups(${x}, ${attrs.number('num_groups')}${eps(attrs)})`, x!, weight, bias);

const rmsNorm: Translation = ([x, weight], attrs) => {
  const axes = attrs.list('normalized_shape').map((_, i, all) => i - all.length);
  const y = `${x} / sqrt(mean(${x} ^ 2, axis = [${axes.join(', ')}], keep = true) + ${attrs.number('eps') ?? 2 ** -23})`;
  return weight ? `${y} * ${weight}` : y;
};

const localNorm: Translation = ([x], attrs) => {
  const given = { alpha: attrs.number('alpha'), beta: attrs.number('beta'), k: attrs.number('k') };
  return `lrn(${x}, ${attrs.number('size')}${named(given)})`;
};

/** PyTorch's norm over infinitely many powers is the largest magnitude. */
const normalize: Translation = ([x], attrs) => {
  const p = attrs.get('p');
  const axis = attrs.number('dim');
  const least = attrs.number('eps');
  if (p === Number.POSITIVE_INFINITY || p === 'inf')
    return `${x} / max(max(abs(${x}), axis = ${axis ?? 1}, keep = true), ${least ?? 1e-12})`;
  return `normalize(${x}${named({ p: attrs.number('p'), axis, eps: least })})`;
};

/** Convolution, pooling, normalisation. */
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
    [`adaptive_avg_pool${n}d`, adaptivePool('avg', n)],
    [`adaptive_max_pool${n}d`, adaptivePool('max', n)],
    [`adaptive_max_pool${n}d_with_indices`, adaptiveIndices],
    [`max_pool${n}d_with_indices`, maxPoolIndices],
    [`max_unpool${n}d`, unpool(n)],
    [`fractional_max_pool${n}d`, fractionalPool(n)],
  ]),
  ['layer_norm', layerNorm],
  ['group_norm', groupNorm],
  ['rms_norm', rmsNorm],
  ['local_response_norm', localNorm],
  ['normalize', normalize],
]);
