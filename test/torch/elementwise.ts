import { type Attrs, named, type Translation } from './attrs.ts';

const same =
  (name: string): Translation =>
  args =>
    `${name}(${args.join(', ')})`;

/** The second operand: a tensor, or the number that is called `other`. */
const second = (b: string | undefined, attrs: Attrs): string => b ?? String(attrs.number('other'));

const infix =
  (op: string): Translation =>
  ([a, b], attrs) =>
    `(${a} ${op} ${second(b, attrs)})`;

/** `add` and `sub`, whose second operand may have a factor. */
const scaled =
  (op: string): Translation =>
  ([a, b], attrs) => {
    const alpha = attrs.number('alpha') ?? 1;
    const right = second(b, attrs);
    return `(${a} ${op} ${alpha === 1 ? right : `${alpha} * ${right}`})`;
  };

const call =
  (name: string, ...options: readonly (readonly [string, string])[]): Translation =>
  (args, attrs) =>
    `${name}(${args.join(', ')}${named(Object.fromEntries(options.map(([here, there]) => [here, attrs.number(there)])))})`;

const along =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}${named({ axis: attrs.ints('dim') })})`;

export const alike = [
  ...['tanh', 'sigmoid', 'relu', 'silu', 'mish', 'selu', 'relu6', 'softsign', 'erf', 'sign', 'floor', 'ceil'],
  ...[
    'round',
    'exp',
    'log',
    'sqrt',
    'sin',
    'cos',
    'abs',
    'neg',
    'tan',
    'asin',
    'acos',
    'atan',
    'sinh',
    'cosh',
  ],
  ...['asinh', 'acosh', 'atanh', 'expm1', 'log1p', 'log2', 'log10', 'exp2', 'trunc', 'frac', 'sinc', 'logit'],
];

/** Names that differ. */
const renamed: Readonly<Record<string, string>> = {
  arctan: 'atan',
  arcsin: 'asin',
  arccos: 'acos',
  arctan2: 'atan2',
  absolute: 'abs',
  negative: 'neg',
  fix: 'trunc',
  sgn: 'sign',
  logsigmoid: 'log_sigmoid',
  log_sigmoid: 'log_sigmoid',
  hardsigmoid: 'hard_sigmoid',
  hardswish: 'hard_swish',
  tanhshrink: 'tanh_shrink',
  swish: 'silu',
  maximum: 'max',
  minimum: 'min',
  fmax: 'max',
  fmin: 'min',
  logaddexp: 'log_add_exp',
  atan2: 'atan2',
  hypot: 'hypot',
  xlogy: 'xlogy',
  where: 'where',
};

const gelu: Translation = ([x], attrs) => {
  const how = attrs.get('approximate') ?? 'none';
  return `gelu(${x}${named({ approximate: how === 'tanh' ? true : undefined })})`;
};

const division: Translation = ([a, b], attrs) => {
  const ratio = `(${a} / ${second(b, attrs)})`;
  const mode = attrs.get('rounding_mode');
  if (mode === undefined) return ratio;
  return mode === 'floor' ? `floor(${ratio})` : `trunc(${ratio})`;
};

const clamp: Translation = ([x, low, high], attrs) =>
  `clip(${x}${named({ low: low ?? attrs.number('min'), high: high ?? attrs.number('max') })})`;

const power: Translation = ([x, y], attrs) => {
  const base = attrs.number('base');
  if (base !== undefined) return `(${base} ^ ${x})`;
  return `(${x} ^ ${y ?? `(${attrs.number('exponent')})`})`;
};

const rrelu: Translation = ([x], attrs) => {
  const [lower, upper] = [attrs.number('lower') ?? 1 / 8, attrs.number('upper') ?? 1 / 3];
  attrs.only('training', false);
  return `leaky_relu(${x}, ${(lower + upper) / 2})`;
};

const comparisons = { eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' };

/** Activations, arithmetic, comparisons. */
export const elementwiseTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ...alike.map(name => [name, same(name)] as const),
  ...Object.entries(renamed).map(([there, here]) => [there, same(here)] as const),
  ...Object.entries(comparisons).map(([name, op]) => [name, infix(op)] as const),
  ['add', scaled('+')],
  ['sub', scaled('-')],
  ['rsub', ([a, b], attrs) => `(${second(b, attrs)} - ${a})`],
  ['mul', infix('*')],
  ['div', division],
  ['true_divide', division],
  ['floor_divide', ([a, b], attrs) => `floor(${a} / ${second(b, attrs)})`],
  ['remainder', infix('%')],
  ['fmod', ([a, b], attrs) => `fmod(${a}, ${second(b, attrs)})`],
  ['pow', power],
  ['square', ([x]) => `(${x} ^ 2)`],
  ['rsqrt', ([x]) => `(1 / sqrt(${x}))`],
  ['reciprocal', ([x]) => `(1 / ${x})`],
  ['erfc', ([x]) => `(1 - erf(${x}))`],
  ['positive', ([x]) => x!],
  ['clone', ([x]) => x!],
  ['contiguous', ([x]) => x!],
  ['identity', ([x]) => x!],
  ['detach', ([x]) => `stop(${x})`],
  ['clamp', clamp],
  ['clip', clamp],
  ['clamp_min', clamp],
  ['clamp_max', clamp],
  ['masked_fill', ([x, mask, value], attrs) => `where(${mask}, ${value ?? attrs.number('value')}, ${x})`],
  ['lerp', ([a, b, w], attrs) => `lerp(${a}, ${b}, ${w ?? attrs.number('weight')})`],
  ['addcmul', ([x, a, b], attrs) => `(${x} + ${attrs.number('value') ?? 1} * ${a} * ${b})`],
  ['addcdiv', ([x, a, b], attrs) => `(${x} + ${attrs.number('value') ?? 1} * ${a} / ${b})`],
  ['logical_and', ([a, b]) => `(${a} and ${b})`],
  ['logical_or', ([a, b]) => `(${a} or ${b})`],
  ['logical_xor', ([a, b]) => `(${a} != ${b})`],
  ['logical_not', ([a]) => `(not ${a})`],
  ['float', ([x]) => `cast(${x}, f32)`],
  ['heaviside', ([x, v]) => `where(${x} == 0, ${v}, heaviside(${x}))`],
  ['dropout_eval', ([x], attrs) => `(${x} -> dropout(${attrs.number('p') ?? 0.5}))`],
  ['leaky_relu', call('leaky_relu', ['slope', 'negative_slope'])],
  ['rrelu', rrelu],
  ['prelu', same('parametric_relu')],
  ['hardtanh', call('hard_tanh', ['low', 'min_val'], ['high', 'max_val'])],
  ['hardshrink', call('hard_shrink', ['lambda', 'lambd'])],
  ['softshrink', call('soft_shrink', ['lambda', 'lambd'])],
  ['threshold', ([x], attrs) => `threshold(${x}, ${attrs.number('threshold')}, ${attrs.number('value')})`],
  ['gelu', gelu],
  ['elu', call('elu', ['alpha', 'alpha'])],
  ['celu', call('celu', ['alpha', 'alpha'])],
  [
    'softplus',
    ([x], attrs) =>
      `softplus(${x}${named({ beta: attrs.number('beta'), threshold: attrs.number('threshold') ?? 20 })})`,
  ],
  ['glu', along('glu')],
  ['softmax', along('softmax')],
  ['log_softmax', along('log_softmax')],
  ['softmin', along('softmin')],
  [
    'normalize',
    ([x], attrs) => {
      const given = { p: attrs.number('p'), axis: attrs.ints('dim'), eps: attrs.number('eps') };
      return `normalised(${x}${named(given)})`;
    },
  ],
]);
