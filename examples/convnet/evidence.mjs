import { load, sheet, writeSplit } from '../scripts/kit.mjs';

export const about = {
  title: 'A small convolutional net on digits; its first filters',
  command: 'dnnc train convnet/convnet.dnn digits --data out/digits/train.safetensors --out runs/convnet',
};

export async function run({ smoke, seed, out, dnnc }) {
  const { train, test } = writeSplit(out, { examples: smoke ? 480 : 1437 });
  const data = ['--data', train, '--val', test, '--epochs', smoke ? 3 : 20, '--seed', seed];
  const { val } = await dnnc(
    'train',
    'examples/convnet/convnet.dnn',
    'digits',
    ...data,
    '--out',
    `${out}/run`,
  );
  const weights = load(`${out}/run/weights.safetensors`);
  const filters = Object.entries(weights).find(
    ([name, t]) => name.startsWith('ConvNet') && t.shape.length === 4,
  )[1];
  return {
    figures: { accuracy: { value: 100 * val.accuracy, reach: smoke ? 70 : 97, better: 'higher', unit: '%' } },
    pictures: [sheet(`${out}/filters.png`, filters, { columns: 8, scale: 10 })],
  };
}
