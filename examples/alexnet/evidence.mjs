import { chart, parameters, tables } from '../scripts/published.mjs';

export const about = {
  title: 'AlexNet (Krizhevsky et al., 2012), its variants and AlexNet-OWT: the weights of each layer',
  command: 'dnnc explain alexnet/alexnet.dnn --layers',
  seeds: 1,
};

/** Shapes as the paper has them, with its normalisations and overlapping pooling. */
const shapes = [
  ...['96, 55, 55', '96, 55, 55', '96, 27, 27', '256, 27, 27', '256, 27, 27', '256, 13, 13'],
  ...['384, 13, 13', '384, 13, 13', '256, 13, 13', '256, 6, 6', '4096', '4096', '1000'],
].map(shape => `[N, ${shape}]`);

export async function run({ out, dnnc }) {
  const nets = await tables(dnnc, 'examples/alexnet/alexnet.dnn');
  const held = nets.AlexNet.layers.filter(l => l.values > 0);
  const agreeing = held.filter((l, i) => l.output === shapes[i]).length;
  const weights = nets.AlexNet.layers.filter(l => l.weights > 0);
  return {
    figures: {
      'rows of the published table': { value: agreeing, reach: shapes.length, better: 'equal' },
      ...parameters(nets, { AlexNet: 60_965_224, OneTower: 62_378_344, AlexNetOWT: 61_100_840 }),
    },
    pictures: [
      chart(`${out}/weights.png`, {
        title: 'AlexNet: millions of weights',
        bars: Object.fromEntries(weights.map(l => [l.path.split('.')[1], l.weights / 1e6])),
        unit: 'M',
      }),
    ],
  };
}
