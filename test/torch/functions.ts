import { type Attrs, named, type Translation, Untranslated } from './attrs.ts';
import { imageTranslations } from './images.ts';
import { layerTranslations } from './layers.ts';
import { lossTranslations } from './losses.ts';

const same =
  (name: string): Translation =>
  args =>
    `${name}(${args.join(', ')})`;

const infix =
  (op: string): Translation =>
  ([a, b]) =>
    `${a} ${op} ${b}`;

const axis = (attrs: Attrs): string => named({ axis: attrs.ints('dim'), keep: attrs.boolean('keepdim') });

const reduction =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}${axis(attrs)})`;

const along =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}${named({ axis: attrs.ints('dim') })})`;

const flatten: Translation = ([x], attrs) => {
  attrs.only('start_dim', 1);
  attrs.only('end_dim', -1);
  if (attrs.get('start_dim') === undefined) throw new Untranslated('flatten of all axes');
  return `flatten(${x})`;
};

const alike = [
  'tanh',
  'sigmoid',
  'relu',
  'silu',
  'mish',
  'selu',
  'relu6',
  'softsign',
  'erf',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'abs',
  'neg',
];

const gelu: Translation = ([x], attrs) =>
  `gelu(${x}${named({ approximate: attrs.get('approximate') === 'tanh' ? true : undefined })})`;

const softplus: Translation = ([x], attrs) => {
  attrs.only('threshold', 20);
  return `softplus(${x}${named({ beta: attrs.number('beta') })})`;
};

const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ...alike.map(name => [name, same(name)] as const),
  ['maximum', same('max')],
  ['minimum', same('min')],
  ['add', infix('+')],
  ['sub', infix('-')],
  ['mul', infix('*')],
  ['div', infix('/')],
  ['matmul', infix('@')],
  ['mm', infix('@')],
  ['bmm', infix('@')],
  ['dropout_eval', ([x], attrs) => `(${x} -> dropout(${attrs.number('p') ?? 0.5}))`],
  ['leaky_relu', ([x], attrs) => `leaky_relu(${x}${named({ slope: attrs.number('negative_slope') })})`],
  ['prelu', ([x, weight]) => `parametric_relu(${x}, ${weight})`],
  ['logsigmoid', ([x]) => `log_sigmoid(${x})`],
  ['hardsigmoid', ([x]) => `hard_sigmoid(${x})`],
  ['hardswish', ([x]) => `hard_swish(${x})`],
  [
    'hardtanh',
    ([x], attrs) =>
      `hard_tanh(${x}${named({ low: attrs.number('min_val'), high: attrs.number('max_val') })})`,
  ],
  ['gelu', gelu],
  ['celu', ([x], attrs) => `celu(${x}${named({ alpha: attrs.number('alpha') })})`],
  ['softplus', softplus],
  ['glu', ([x], attrs) => `glu(${x}${named({ axis: attrs.number('dim') })})`],
  ['pow', ([x, y], attrs) => `${x} ^ ${y ?? attrs.number('exponent')}`],
  ['square', ([x]) => `${x} ^ 2`],
  ['rsqrt', ([x]) => `1 / sqrt(${x})`],
  ['reciprocal', ([x]) => `1 / ${x}`],
  ['clamp', ([x], attrs) => `clamp(${x}, ${attrs.number('min') ?? -3e38}, ${attrs.number('max') ?? 3e38})`],
  ['logsumexp', reduction('log_sum_exp')],
  ['prod', reduction('prod')],
  ['elu', ([x], attrs) => `elu(${x}${named({ alpha: attrs.number('alpha') })})`],
  ['softmax', along('softmax')],
  ['log_softmax', along('log_softmax')],
  ['sum', reduction('sum')],
  ['mean', reduction('mean')],
  ['amax', reduction('max')],
  ['amin', reduction('min')],
  ['flatten', flatten],
  ['reshape', ([x], attrs) => `reshape(${x}, ${attrs.list('shape').join(', ')})`],
  ['view', ([x], attrs) => `reshape(${x}, ${attrs.list('shape').join(', ')})`],
  ['permute', ([x], attrs) => `transpose(${x}, ${attrs.list('dims').join(', ')})`],
  ['cat', (args, attrs) => `concat(${args.join(', ')}, axis = ${attrs.number('dim') ?? 0})`],
  ...layerTranslations,
  ...imageTranslations,
  ...lossTranslations,
]);

export function translateCall(op: string, args: readonly string[], attrs: Attrs): string {
  const translation = translations.get(op);
  if (!translation) throw new Untranslated(op);
  const text = translation(args, attrs);
  attrs.done();
  return text;
}

export const isLoss = (op: string): boolean => lossTranslations.has(op);

const rowwise = new Set([
  ...alike,
  ...lossTranslations.keys(),
  ...[1, 2, 3].flatMap(n =>
    ['conv', 'conv_transpose', 'max_pool', 'avg_pool', 'lp_pool'].map(f => `${f}${n}d`),
  ),
  ...[
    'add',
    'sub',
    'mul',
    'div',
    'maximum',
    'minimum',
    'linear',
    'flatten',
    'leaky_relu',
    'elu',
    'dropout_eval',
  ],
]);

/** Whether the leading axis runs through the call untouched, or into the mean of a loss. */
export const keepsBatch = (op: string): boolean => rowwise.has(op);
