import { chart, digitsAccuracy, parameters, tables } from '../scripts/published.mjs';

const file = 'examples/resnet/resnet.dnn';

export const about = {
  title: 'ResNet-18 to 152 (He et al., 2015); ResNet-50 with an eighth of the channels on digits',
  command: 'dnnc explain resnet/resnet.dnn --layers --depth 1',
};

export async function run(given) {
  const { smoke, out, dnnc } = given;
  const nets = await tables(dnnc, file, '--depth', 1);
  const figures = parameters(nets, {
    ...{ ResNet18: 11.7, ResNet34: 21.8, ResNet50: 25.6, ResNet101: 44.5, ResNet152: 60.2 },
  });
  // Fifty layers take half a minute to compile.
  if (!smoke)
    figures['digits, 1/8 of the channels'] = {
      value: await digitsAccuracy(given, {
        ...{ file, program: 'imagenet', size: 32, floats: true, epochs: 20 },
        flags: ['-D', 'Width=8', '-D', 'Size=32', '-D', 'Classes=10', '-D', 'Rate=0.03'],
      }),
      ...{ reach: 95, better: 'higher', unit: '%' },
    };
  const bars = Object.fromEntries(Object.entries(nets).map(([name, t]) => [name, t.parameters / 1e6]));
  return {
    figures,
    pictures: [chart(`${out}/parameters.png`, { title: 'Millions of parameters', bars, unit: 'M' })],
  };
}
