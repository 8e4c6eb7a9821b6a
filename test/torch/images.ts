import { type Attrs, named, type Translation, Untranslated } from './attrs.ts';

const text = (value: unknown): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value);

/** `interpolate` to a size or by a factor; `upsample_bilinear` and the like fix the mode. */
const resize =
  (fixed: { mode?: string; align_corners?: boolean } = {}): Translation =>
  ([x], attrs) => {
    const mode = fixed.mode ?? attrs.get('mode') ?? 'nearest';
    const given = {
      mode: text(mode),
      align_corners: attrs.boolean('align_corners') ?? fixed.align_corners,
      antialias: attrs.boolean('antialias'),
    };
    const recompute = attrs.boolean('recompute_scale_factor');
    const size = attrs.ints('size');
    if (size !== undefined) return `interpolate(${x}, ${size}${named(given)})`;
    return `upsample(${x}, ${attrs.ints('scale_factor')}${named({ ...given, recompute })})`;
  };

const borders: Readonly<Record<string, string | undefined>> = {
  constant: undefined,
  reflect: '"reflect"',
  replicate: '"replicate"',
  circular: '"circular"',
};

/** PyTorch's list goes from the last axis to the first, two entries each. */
const pad =
  (mode?: string): Translation =>
  ([x], attrs) => {
    const list = attrs.get('pad') === undefined ? attrs.list('padding') : attrs.list('pad');
    const of = mode ?? attrs.get('mode') ?? 'constant';
    if (typeof of !== 'string' || !(of in borders)) throw new Untranslated(`padding by mode ${String(of)}`);
    const side = (first: number) =>
      `[${list
        .filter((_, i) => i % 2 === first)
        .reverse()
        .join(', ')}]`;
    return `pad_last(${x}, ${side(0)}, ${side(1)}${named({ mode: borders[of], value: attrs.number('value') })})`;
  };

const corners = (attrs: Attrs) => ({ align_corners: attrs.boolean('align_corners') });

const gridSample: Translation = ([x, grid], attrs) => {
  const given = {
    mode: text(attrs.get('mode')),
    padding: text(attrs.get('padding_mode')),
    ...corners(attrs),
  };
  return `grid_sample(${x}, ${grid}${named(given)})`;
};

const affineGrid: Translation = ([theta], attrs) =>
  `affine_grid(${theta}, [${attrs.list('size').slice(2).join(', ')}]${named(corners(attrs))})`;

const windows = (attrs: Attrs): string =>
  attrs.ints('kernel_size') +
  named({
    stride: attrs.ints('stride'),
    pad: attrs.ints('padding'),
    dilation: attrs.ints('dilation'),
  });

/** Sizes, borders, patches, grids. */
export const imageTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['upsample', resize()],
  ['interpolate', resize()],
  ['upsample_nearest', resize({ mode: 'nearest' })],
  ['upsample_bilinear', resize({ mode: 'bilinear', align_corners: true })],
  ['pad', pad()],
  ['constant_pad_nd', pad('constant')],
  ...[1, 2, 3].flatMap((n): [string, Translation][] => [
    [`zero_pad${n}d`, pad('constant')],
    [`constant_pad${n}d`, pad('constant')],
    [`reflection_pad${n}d`, pad('reflect')],
    [`replication_pad${n}d`, pad('replicate')],
    [`circular_pad${n}d`, pad('circular')],
  ]),
  ['grid_sample', gridSample],
  ['affine_grid', affineGrid],
  ['unfold', ([x], attrs) => `im2col(${x}, ${windows(attrs)})`],
  ['fold', ([x], attrs) => `col2im(${x}, ${attrs.ints('output_size')}, ${windows(attrs)})`],
  ['pixel_shuffle', ([x], attrs) => `pixel_shuffle(${x}, ${attrs.number('upscale_factor')})`],
  ['pixel_unshuffle', ([x], attrs) => `pixel_unshuffle(${x}, ${attrs.number('downscale_factor')})`],
  ['channel_shuffle', ([x], attrs) => `channel_shuffle(${x}, ${attrs.number('groups')})`],
  [
    'narrow',
    ([x], attrs) => {
      const [axis, start] = [attrs.number('dim'), attrs.number('start')!];
      return `cut(${x}, ${axis}, ${start}, ${start + attrs.number('length')!})`;
    },
  ],
]);
