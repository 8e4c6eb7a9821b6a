import { type Attrs, named, type Translation } from './attrs.ts';

const reducedBy = (attrs: Attrs): Record<string, string | undefined> => {
  const given = attrs.get('reduction');
  return { reduction: given === undefined ? undefined : JSON.stringify(given) };
};

/** A loss of two tensors; `others` are its further arguments, as [here, there]. */
const loss = (name: string, ...others: readonly (readonly [string, string])[]): Translation =>
  lossWith({}, name, others);

/** The same over classes, which PyTorch always has on axis 1. */
const classLoss = (name: string, ...others: readonly (readonly [string, string])[]): Translation =>
  lossWith({ axis: '1' }, name, others);

const lossWith =
  (
    fixed: Record<string, string>,
    name: string,
    others: readonly (readonly [string, string])[],
  ): Translation =>
  ([x, y, weight], attrs) => {
    const numbers = Object.fromEntries(others.map(([here, there]) => [here, attrs.number(there)]));
    return `${name}(${x}, ${y}${named({ ...fixed, weight, ...numbers, ...reducedBy(attrs) })})`;
  };

export const lossTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['cross_entropy', classLoss('cross_entropy', ['ignore', 'ignore_index'], ['smoothing', 'label_smoothing'])],
  ['nll', classLoss('nll', ['ignore', 'ignore_index'])],
  ['nll_loss', classLoss('nll', ['ignore', 'ignore_index'])],
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
