import { load, sheet, writeSplit } from '../scripts/kit.mjs';

export const about = {
  title: 'A multilayer perceptron; what its first units look for',
  command: 'dnnc train mlp/mlp.dnn digits --data digits.safetensors --out runs/mlp',
};

export async function run({ smoke, seed, out, dnnc }) {
  const flat = ({ x, y }) => ({ x: { ...x, shape: [x.shape[0], 784] }, y });
  const { train, test } = writeSplit(out, { as: flat, examples: smoke ? 700 : 1437 });
  const { val } = await dnnc(
    ...['train', 'examples/mlp/mlp.dnn', 'digits', '--data', train, '--val', test],
    ...['--epochs', smoke ? 3 : 15, '--seed', seed, '--out', `${out}/run`],
  );
  const weights = load(`${out}/run/weights.safetensors`)['MLP.dense[0].weight'];
  const first = { ...weights, shape: [12, 1, 28, 28], data: weights.data.slice(0, 12 * 784) };
  return {
    figures: { accuracy: { value: 100 * val.accuracy, reach: smoke ? 75 : 96, better: 'higher', unit: '%' } },
    pictures: [sheet(`${out}/units.png`, first, { columns: 6, scale: 1 })],
  };
}
