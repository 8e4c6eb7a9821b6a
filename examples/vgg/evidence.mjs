import { chart, parameters, tables } from '../scripts/published.mjs';

export const about = {
  title: 'VGG A to E (Simonyan and Zisserman, 2014): where VGG-16 (D) keeps its numbers',
  command: 'dnnc explain vgg/vgg.dnn --layers',
  seeds: 1,
};

/** D as the courses print it: channels, positions along a side, channels that are read (0 for pooling). */
const rows = [
  ...[
    [64, 224, 3],
    [64, 224, 64],
    [64, 112, 0],
    [128, 112, 64],
    [128, 112, 128],
    [128, 56, 0],
  ],
  ...[
    [256, 56, 128],
    [256, 56, 256],
    [256, 56, 256],
    [256, 28, 0],
  ],
  ...[
    [512, 28, 256],
    [512, 28, 512],
    [512, 28, 512],
    [512, 14, 0],
  ],
  ...[
    [512, 14, 512],
    [512, 14, 512],
    [512, 14, 512],
    [512, 7, 0],
  ],
].map(([channels, side, from]) => [channels * side * side, 9 * channels * from]);
const dense = [
  [4096, 102_760_448],
  [4096, 16_777_216],
  [1000, 4_096_000],
];

export async function run({ out, dnnc }) {
  const nets = await tables(dnnc, 'examples/vgg/vgg.dnn');
  const table = [...rows, ...dense];
  const held = nets.VGG16.layers.filter(l => l.values > 0);
  const agreeing = held.filter((l, i) => l.values === table[i]?.[0] && l.weights === table[i]?.[1]).length;
  const conv = held.filter(l => l.weights > 0);
  const name = (l, i) => (i < 13 ? `conv ${i + 1}` : l.path.split('.').at(-1));
  return {
    figures: {
      'rows of the published table': { value: agreeing, reach: table.length, better: 'equal' },
      ...parameters(nets, { VGG16: 138_357_544, VGG11: 132_863_336, VGG19: 143_667_240 }),
      'values for a picture': { value: nets.VGG16.values, reach: 15_237_608, better: 'equal' },
    },
    pictures: [
      chart(`${out}/values.png`, {
        title: 'VGG-16: millions of values',
        bars: Object.fromEntries(conv.map((l, i) => [name(l, i), l.values / 1e6])),
        unit: 'M',
      }),
      chart(`${out}/weights.png`, {
        title: 'VGG-16: millions of weights',
        bars: Object.fromEntries(conv.map((l, i) => [name(l, i), l.weights / 1e6])),
        unit: 'M',
      }),
    ],
  };
}
