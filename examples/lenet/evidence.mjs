import { load, sheet, writeSplit } from '../scripts/kit.mjs';

export const about = {
  title: 'LeNet-5 (LeCun et al., 1998) on digits; its first filters',
  command:
    'dnnc train lenet/lenet.dnn mnist --data train-images.idx3-ubyte.gz,train-labels.idx1-ubyte.gz --out runs/lenet',
};

export async function run({ smoke, seed, out, dnnc }) {
  const { train, test } = writeSplit(out, { examples: smoke ? 700 : 1437 });
  const data = ['--data', train, '--val', test, '--monitor', 'accuracy'];
  const { val } = await dnnc(
    ...['train', 'examples/lenet/lenet.dnn', 'mnist', ...data],
    ...['--epochs', smoke ? 4 : 15, '--seed', seed, '--out', `${out}/run`],
  );
  const weights = load(`${out}/run/weights.safetensors`);
  const filters = weights['LeNet.conv.weight'];
  return {
    figures: { accuracy: { value: 100 * val.accuracy, reach: smoke ? 80 : 97, better: 'higher', unit: '%' } },
    pictures: [sheet(`${out}/filters.png`, filters, { columns: 6, scale: 6 })],
  };
}
