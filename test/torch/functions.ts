import { type Attrs, named, Untranslated } from './attrs.ts';

/** `.dnn` text for a call: its arguments as names, and what else it was given. */
type Translation = (args: readonly string[], attrs: Attrs) => string;

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

export const convolutionArguments = (attrs: Attrs): string =>
  named({
    stride: attrs.ints('stride'),
    pad: attrs.ints('padding'),
    dilation: attrs.ints('dilation'),
    groups: attrs.number('groups'),
  });

const convolution =
  (spatial: number): Translation =>
  ([x, weight, bias], attrs) => {
    const y = `convolve(${x}, ${weight}${convolutionArguments(attrs)})`;
    const ones = ', 1'.repeat(spatial);
    return bias ? `${y} + reshape(${bias}, 1, len(${bias})${ones})` : y;
  };

const conv2d: Translation = ([x, weight, bias], attrs) =>
  `conv2d(${x}, ${weight}${named({ bias })}${convolutionArguments(attrs)})`;

const linear: Translation = ([x, weight, bias]) => `${x} @ transpose(${weight})${bias ? ` + ${bias}` : ''}`;

const pool =
  (name: string): Translation =>
  ([x], attrs) => {
    attrs.only('ceil_mode', false);
    attrs.only('dilation', 1);
    attrs.only('count_include_pad', true);
    const given = { stride: attrs.ints('stride'), pad: attrs.ints('padding') };
    return `${name}(${x}, ${attrs.ints('kernel_size')}${named(given)})`;
  };

const globalPool: Translation = ([x], attrs) => {
  const size = attrs.get('output_size');
  if (![size].flat().every(n => n === 1))
    throw new Untranslated('adaptive pooling to more than one position');
  return `global_avg_pool(${x})`;
};

const batchNorm: Translation = ([x, weight, bias, mean, variance], attrs) => {
  if (attrs.boolean('training') !== false) throw new Untranslated('running statistics among the results');
  attrs.get('momentum');
  const scale = `${weight ?? 1} / sqrt(${variance} + ${attrs.number('eps') ?? 1e-5})`;
  const shifted = `(${x} - per_channel(${mean}, ${x})) * per_channel(${scale}, ${x})`;
  return bias ? `${shifted} + per_channel(${bias}, ${x})` : shifted;
};

const flatten: Translation = ([x], attrs) => {
  attrs.only('start_dim', 1);
  attrs.only('end_dim', -1);
  if (attrs.get('start_dim') === undefined) throw new Untranslated('flatten of all axes');
  return `flatten(${x})`;
};

const loss =
  (name: string): Translation =>
  ([x, y], attrs) => {
    attrs.only('reduction', 'mean');
    return `${name}(${x}, ${y})`;
  };

const alike = [
  'tanh',
  'sigmoid',
  'relu',
  'softplus',
  'silu',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'abs',
  'neg',
];

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
  ['linear', linear],
  ['conv1d', convolution(1)],
  ['conv2d', conv2d],
  ['conv3d', convolution(3)],
  ['max_pool1d', pool('max_pool')],
  ['max_pool2d', pool('max_pool')],
  ['max_pool3d', pool('max_pool')],
  ['avg_pool1d', pool('avg_pool')],
  ['avg_pool2d', pool('avg_pool')],
  ['avg_pool3d', pool('avg_pool')],
  ['adaptive_avg_pool1d', globalPool],
  ['adaptive_avg_pool2d', globalPool],
  ['adaptive_avg_pool3d', globalPool],
  ['batch_norm', batchNorm],
  ['dropout_eval', ([x], attrs) => `(${x} -> dropout(${attrs.number('p') ?? 0.5}))`],
  ['leaky_relu', ([x], attrs) => `leaky_relu(${x}${named({ slope: attrs.number('negative_slope') })})`],
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
  ['cross_entropy', loss('cross_entropy')],
  ['mse', loss('mse')],
  ['mse_loss', loss('mse')],
  ['l1', loss('mae')],
  ['l1_loss', loss('mae')],
  ['bce', loss('bce')],
  ['bce_with_logits', loss('bce_logits')],
]);

export function translateCall(op: string, args: readonly string[], attrs: Attrs): string {
  const translation = translations.get(op);
  if (!translation) throw new Untranslated(op);
  const text = translation(args, attrs);
  attrs.done();
  return text;
}

const losses = ['cross_entropy', 'mse', 'mse_loss', 'l1', 'l1_loss', 'bce', 'bce_with_logits'];

export const isLoss = (op: string): boolean => losses.includes(op);

const rowwise = new Set([
  ...alike,
  ...losses,
  ...[1, 2, 3].flatMap(n => ['conv', 'max_pool', 'avg_pool', 'adaptive_avg_pool'].map(f => `${f}${n}d`)),
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
