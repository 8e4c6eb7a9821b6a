import { readFileSync } from 'node:fs';
import { asFloats, plot, writeSplit } from '../scripts/kit.mjs';

const file = 'examples/depth/depth.dnn';

export const about = {
  title:
    'Fat and short against thin and tall multilayer perceptrons with as many parameters; sigmoid, tanh, ReLU',
  command: 'dnnc train depth/depth.dnn thin --data digits.safetensors -D Activation=sigmoid --out runs/thin',
};

export async function run({ smoke, seed, out, dnnc }) {
  const flat = ({ x, y }) => ({ x: { ...asFloats(x), shape: [x.shape[0], 64] }, y });
  const { train, test } = writeSplit(out, { size: 8, as: flat });
  const curves = {};
  const learn = async (program, activation) => {
    const to = `${out}/${program}-${activation}`;
    const { val } = await dnnc(
      ...['train', file, program, '-D', `Activation=${activation}`, '--data', train, '--val', test],
      ...['--epochs', smoke ? 3 : 20, '--seed', seed, '--out', to],
    );
    curves[`${program}, ${activation}`] = accuracies(`${to}/metrics.jsonl`);
    return 100 * val.accuracy;
  };
  const { nets } = await dnnc('explain', file, '--layers');
  const [fat, thin] = nets.map(n => n.parameters);
  const percent = (value, reach, better = 'higher') => ({ value, reach, better, unit: '%' });
  const figures = {
    'parameters of either': { value: fat === thin ? fat : Number.NaN, reach: 4810, better: 'equal' },
    'fat, ReLU': percent(await learn('fat', 'relu'), smoke ? 85 : 96),
    'thin, ReLU': percent(await learn('thin', 'relu'), smoke ? 50 : 93),
  };
  if (!smoke) {
    figures['fat, tanh'] = percent(await learn('fat', 'tanh'), 96);
    figures['fat, sigmoid'] = percent(await learn('fat', 'sigmoid'), 93);
    // Six sigmoids one after the other leave no gradient to the first: it cannot learn.
    figures['thin, sigmoid'] = percent(await learn('thin', 'sigmoid'), 20, 'lower');
  }
  const picture = plot(`${out}/curves.png`, {
    title: 'accuracy on held-out digits',
    x: 'epoch',
    curves,
    low: 0,
    high: 1,
  });
  return { figures, pictures: [picture] };
}

/** Of the validation after each epoch. */
const accuracies = path =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(m => m.val)
    .map(m => m.accuracy);
