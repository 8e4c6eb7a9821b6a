import { type Attrs, named, type Translation } from './attrs.ts';
import type { Parts } from './functions.ts';

const axis = (attrs: Attrs): string => named({ axis: attrs.ints('dim'), keep: attrs.boolean('keepdim') });

const reduction =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}${axis(attrs)})`;

/** `max(x)` shares the gradient among equals, `max(x, dim)` gives it to one. */
const extreme =
  (one: 'max' | 'min', shared: 'amax' | 'amin'): Translation =>
  ([a, b], attrs) => {
    if (b) return `${one}(${a}, ${b})`;
    return `${attrs.get('dim') === undefined ? shared : one}(${a}${axis(attrs)})`;
  };

/** The position in all of x, where no axis is said. */
const position =
  (name: string): Translation =>
  ([x], attrs) =>
    attrs.get('dim') === undefined ? `${name}(reshape(${x}, -1), axis = 0)` : `${name}(${x}${axis(attrs)})`;

/** By how much less than the count a sum of squares is divided. */
function correction(attrs: Attrs): number {
  const unbiased = attrs.boolean('unbiased');
  const given = attrs.number('correction');
  return given ?? (unbiased === false ? 0 : 1);
}

const spread =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}${named({ correction: correction(attrs) })}${axis(attrs)})`;

const norm: Translation = ([x], attrs) => {
  const p = attrs.get('p') ?? attrs.get('ord') ?? 2;
  const where = axis(attrs);
  if (p === 'inf' || p === Number.POSITIVE_INFINITY) return `amax(abs(${x})${where})`;
  if (p === '-inf' || p === Number.NEGATIVE_INFINITY) return `amin(abs(${x})${where})`;
  return `norm(${x}, ${p === 'fro' ? 2 : Number(p)}${where})`;
};

const running =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}, ${attrs.number('dim')})`;

const median: Translation = ([x], attrs) =>
  attrs.get('dim') === undefined ? `median(reshape(${x}, -1))` : `median(${x}${axis(attrs)})`;

const kth: Translation = ([x], attrs) => `kth_smallest(${x}, ${attrs.number('k')! - 1}${axis(attrs)})`;

/** Sums, extremes, norms, statistics, running sums. */
export const reductionTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['sum', reduction('sum')],
  ['nansum', reduction('sum')],
  ['mean', reduction('mean')],
  ['prod', reduction('prod')],
  ['amax', reduction('amax')],
  ['amin', reduction('amin')],
  ['max', extreme('max', 'amax')],
  ['min', extreme('min', 'amin')],
  ['argmax', position('argmax')],
  ['argmin', position('argmin')],
  ['logsumexp', reduction('log_sum_exp')],
  ['std', spread('standard_deviation')],
  ['var', spread('variance')],
  ['norm', norm],
  ['vector_norm', norm],
  ['any', reduction('any')],
  ['all', reduction('every')],
  ['count_nonzero', ([x], attrs) => `sum(cast(${x} != 0, i32)${axis(attrs)})`],
  ['cumsum', running('cumsum')],
  ['cumprod', running('cumprod')],
  ['cummax', running('cummax')],
  ['logcumsumexp', running('log_cumsum_exp')],
  ['median', median],
  ['kthvalue', kth],
]);

/** Functions with several results. Where a position is asked for, it is that of the value along the axis. */
export const reductionParts: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ...(['max', 'min'] as const).map((name): [string, Parts] => [
    name,
    ([x], _, attrs) => [`${name}(${x}${axis(attrs)})`, `arg${name}(${x}${axis(attrs)})`],
  ]),
  [
    'aminmax',
    ([x], _, attrs) => {
      const where = axis(attrs);
      return [`amin(${x}${where})`, `amax(${x}${where})`];
    },
  ],
  ...(
    [
      ['var_mean', 'variance'],
      ['std_mean', 'standard_deviation'],
    ] as const
  ).map(([there, here]): [string, Parts] => [
    there,
    ([x], _, attrs) => {
      const by = correction(attrs);
      const where = axis(attrs);
      return [`${here}(${x}${named({ correction: by })}${where})`, `mean(${x}${where})`];
    },
  ]),
  ...(['median', 'kthvalue'] as const).map((name): [string, Parts] => [
    name,
    ([x], _, attrs) => {
      const dim = attrs.number('dim') ?? -1;
      const keep = attrs.boolean('keepdim') ?? false;
      const k = name === 'median' ? `(shape(${x})[${dim}] - 1) ~/ 2` : String(attrs.number('k')! - 1);
      const at = `cut_index(sort(${x}, ${dim}).index, ${dim}, ${k}, ${k} + 1)`;
      return [`kth_smallest(${x}, ${k}, ${dim}, ${keep})`, keep ? at : `squeeze(${at}, ${dim})`];
    },
  ]),
  [
    'cummax',
    ([x], _, attrs) => {
      const dim = attrs.number('dim');
      return [`cummax(${x}, ${dim})`, `cummax_index(${x}, ${dim})`];
    },
  ],
]);
