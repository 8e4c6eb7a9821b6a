import { chart, digitsAccuracy, parameters, tables } from '../scripts/published.mjs';

const file = 'examples/densenet/densenet.dnn';

export const about = {
  title: 'DenseNet-121 to 201 (Huang et al., 2016); a small one of the same blocks on digits',
  command: 'dnnc explain densenet/densenet.dnn --layers --depth 1',
};

export async function run(given) {
  const { smoke, out, dnnc } = given;
  const { Small, ...nets } = await tables(dnnc, file, '--depth', 1);
  return {
    figures: {
      ...parameters(nets, { DenseNet121: 8, DenseNet169: 14.1, DenseNet201: 20, DenseNet161: 28.7 }),
      'digits, a small one': {
        value: await digitsAccuracy(given, {
          ...{ file, program: 'imagenet', size: 32, floats: true },
          flags: ['-D', `Growth=${smoke ? 4 : 8}`, '-D', 'Size=32', '-D', 'Classes=10'],
          ...(smoke ? { epochs: 4, examples: 640 } : { epochs: 15 }),
        }),
        ...{ reach: smoke ? 25 : 95, better: 'higher', unit: '%' },
      },
    },
    pictures: [
      chart(`${out}/parameters.png`, {
        title: 'Millions of parameters',
        bars: Object.fromEntries(Object.entries(nets).map(([name, t]) => [name, t.parameters / 1e6])),
        unit: 'M',
      }),
    ],
  };
}
