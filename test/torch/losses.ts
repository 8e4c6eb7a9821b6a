import { type Attrs, named, type Translation } from './attrs.ts';

const reducedBy = (attrs: Attrs): Record<string, string | undefined> => {
  const given = attrs.get('reduction');
  return { reduction: given === undefined ? undefined : JSON.stringify(given) };
};

/** Argument here, PyTorch's name. */
type Option = readonly [string, string];

function options(attrs: Attrs, given: readonly Option[]): Record<string, number | boolean | undefined> {
  const read = (there: string) => {
    const value = attrs.get(there);
    return typeof value === 'boolean' ? value : attrs.number(there);
  };
  return Object.fromEntries(given.map(([here, there]) => [here, read(there)]));
}

/** A loss of `count` tensors, to which weights by name may be added. */
const loss =
  (name: string, count: number, weights: readonly string[], ...given: readonly Option[]): Translation =>
  (args, attrs) => {
    const own = Object.fromEntries(weights.map((w, i) => [w, args[count + i]]));
    const all = { ...own, ...options(attrs, given), ...reducedBy(attrs) };
    return `${name}(${args.slice(0, count).join(', ')}${named(all)})`;
  };

/** Labels of -100 do not count, unless others are named. */
const ignored = (attrs: Attrs): number => attrs.number('ignore_index') ?? -100;

const crossEntropy: Translation = ([x, y, weight], attrs, given) => {
  const soft = given(y!)?.dtype === 'f32';
  const ignore = ignored(attrs);
  const all = {
    weight,
    smoothing: attrs.number('label_smoothing'),
    ignore: soft ? undefined : ignore,
    ...reducedBy(attrs),
  };
  return `${soft ? 'soft_cross_entropy' : 'cross_entropy'}(${x}, ${y}${named(all)})`;
};

const nll: Translation = ([x, y, weight], attrs) =>
  `nll(${x}, ${y}${named({ weight, ignore: ignored(attrs), ...reducedBy(attrs) })})`;

/** PyTorch takes one example without a batch too. */
const labelMargins: Translation = ([x, y], attrs, given) => {
  const args = given(y!)?.shape.length === 1 ? `unsqueeze(${x}, 0), unsqueeze(${y}, 0)` : `${x}, ${y}`;
  return `multi_label_hinge(${args}${named(reducedBy(attrs))})`;
};

/** A third tensor is `weight`, unless its name says that it weighs the positive answers. */
const logits: Translation = (args, attrs, given) => {
  const alone = args.length === 3 && /^p(os|w)/.test(args[2]!);
  return loss('bce_logits', 2, alone ? ['positive'] : ['weight', 'positive'])(args, attrs, given);
};
const bce = loss('bce', 2, ['weight']);
const huber = loss('huber', 2, [], ['delta', 'delta']);
const smooth = loss('smooth_l1', 2, [], ['beta', 'beta']);

export const lossTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['cross_entropy', crossEntropy],
  ['nll', nll],
  ['nll_loss', nll],
  ['mse', loss('mse', 2, [])],
  ['mse_loss', loss('mse', 2, [])],
  ['l1', loss('mae', 2, [])],
  ['l1_loss', loss('mae', 2, [])],
  ['huber', huber],
  ['huber_loss', huber],
  ['smooth_l1', smooth],
  ['smooth_l1_loss', smooth],
  ['bce', bce],
  ['binary_cross_entropy', bce],
  ['bce_with_logits', logits],
  ['binary_cross_entropy_with_logits', logits],
  ['kl_div', loss('kl', 2, [], ['log_target', 'log_target'])],
  ['kl', loss('kl', 2, [], ['log_target', 'log_target'])],
  ...(
    [
      ['hinge_embedding', loss('hinge_embedding', 2, [], ['margin', 'margin'])],
      ['soft_margin', loss('soft_margin', 2, [])],
      ['margin_ranking', loss('margin_ranking', 3, [], ['margin', 'margin'])],
      ['multilabel_margin', labelMargins],
      ['multilabel_soft_margin', loss('multi_label_soft_margin', 2, ['weight'])],
      ['multi_margin', loss('multi_hinge', 2, ['weight'], ['p', 'p'], ['margin', 'margin'])],
      ['cosine_embedding', loss('cosine_embedding', 3, [], ['margin', 'margin'])],
      [
        'triplet_margin',
        loss('triplet', 3, [], ['margin', 'margin'], ['p', 'p'], ['eps', 'eps'], ['swap', 'swap']),
      ],
      [
        'poisson_nll',
        loss('poisson_nll', 2, [], ['log_input', 'log_input'], ['full', 'full'], ['eps', 'eps']),
      ],
      ['gaussian_nll', loss('gaussian_nll', 3, [], ['full', 'full'], ['eps', 'eps'])],
    ] as const
  ).flatMap(([name, translation]): [string, Translation][] => [
    [name, translation],
    [`${name}_loss`, translation],
  ]),
]);
