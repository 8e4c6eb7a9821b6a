import { type Attrs, named, type Translation } from './attrs.ts';

const reducedBy = (attrs: Attrs): Record<string, string | undefined> => {
  const given = attrs.get('reduction');
  return { reduction: given === undefined ? undefined : JSON.stringify(given) };
};

/** A loss of two tensors; `others` are its further arguments, as [here, there]. */
const loss =
  (name: string, ...others: readonly (readonly [string, string])[]): Translation =>
  ([x, y, weight], attrs) => {
    const numbers = others.map(([here, there]) => [here, attrs.number(there)] as const);
    return `${name}(${x}, ${y}${named({ weight, ...Object.fromEntries(numbers), ...reducedBy(attrs) })})`;
  };

export const lossTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['cross_entropy', loss('cross_entropy', ['ignore', 'ignore_index'], ['smoothing', 'label_smoothing'])],
  ['nll', loss('nll', ['ignore', 'ignore_index'])],
  ['nll_loss', loss('nll', ['ignore', 'ignore_index'])],
  ['mse', loss('mse')],
  ['mse_loss', loss('mse')],
  ['l1', loss('mae')],
  ['l1_loss', loss('mae')],
  ['huber', loss('huber', ['delta', 'delta'])],
  ['huber_loss', loss('huber', ['delta', 'delta'])],
  ['smooth_l1', loss('smooth_l1', ['beta', 'beta'])],
  ['smooth_l1_loss', loss('smooth_l1', ['beta', 'beta'])],
  ['bce', loss('bce')],
  ['bce_with_logits', loss('bce_logits')],
  ['kl_div', loss('kl')],
]);
