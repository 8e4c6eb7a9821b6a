import { chart, parameters, tables } from '../scripts/published.mjs';

export const about = {
  title: 'ResNeXt (Xie et al., 2016): as many parameters as ResNet, in 32 groups',
  command: 'dnnc explain resnext/resnext.dnn --layers --depth 1',
  seeds: 1,
};

export async function run({ out, dnnc }) {
  const nets = await tables(dnnc, 'examples/resnext/resnext.dnn', '--depth', 1);
  const { ResNet50, ResNet101 } = await tables(dnnc, 'examples/resnet/resnet.dnn', '--depth', 1);
  const millions = { ...nets, ResNet50, ResNet101 };
  return {
    figures: parameters(nets, { ResNeXt50: 25.0, ResNeXt101: 88.8 }),
    pictures: [
      chart(`${out}/parameters.png`, {
        title: 'Millions of parameters',
        bars: Object.fromEntries(Object.entries(millions).map(([name, t]) => [name, t.parameters / 1e6])),
        unit: 'M',
      }),
    ],
  };
}
