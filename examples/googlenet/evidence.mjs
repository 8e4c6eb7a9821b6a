import { chart, parameters, tables } from '../scripts/published.mjs';

const file = 'examples/googlenet/googlenet.dnn';

export const about = {
  title:
    'GoogLeNet (Szegedy et al., 2014): heads that prediction does not have, and what 1x1 convolutions save',
  command: 'dnnc explain googlenet/inception.dnn --layers',
  seeds: 1,
};

/** Table 1 of the paper: millions of operations. */
const operations = { a3: 128, b3: 304, a4: 74, b4: 88, c4: 100, d4: 119, e4: 170, b5: 71, head: 1 };

export async function run({ out, dnnc }) {
  const [nets, inception, compiled] = await Promise.all([
    tables(dnnc, file, '--depth', 1),
    tables(dnnc, 'examples/googlenet/inception.dnn'),
    dnnc('explain', file, '-D', 'Slim=16', '-D', 'Size=72', '-D', 'Classes=10', '--profile', 'software'),
  ]);
  const by = new Map(nets.GoogLeNet.layers.map(l => [l.path.split('.')[1], l.multiplyAdds]));
  const agreeing = Object.entries(operations).filter(([name, n]) => Math.round(by.get(name) / 1e6) === n);
  const { Naive, Reduced } = inception;
  const headKernels = name =>
    compiled.programs.find(p => p.name === name).kernels.filter(k => /head[12]/.test(k.name)).length;
  return {
    figures: {
      ...parameters(nets, { GoogLeNet: 6_998_552 }),
      'modules with the published operations': { value: agreeing.length, reach: 9, better: 'equal' },
      'operations left in 3a': {
        value: (100 * Reduced.multiplyAdds) / Naive.multiplyAdds,
        ...{ reach: 43, better: 'lower', unit: '%', digits: 1 },
      },
      'kernels of auxiliary heads, training': {
        value: headKernels('imagenet.step'),
        reach: 10,
        better: 'higher',
      },
      'kernels of auxiliary heads, inference': { value: headKernels('GoogLeNet'), reach: 0, better: 'equal' },
    },
    pictures: [
      chart(`${out}/operations.png`, {
        title: 'Inception 3a: millions of multiply-adds',
        bars: { without: Naive.multiplyAdds / 1e6, 'with 1x1': Reduced.multiplyAdds / 1e6 },
        unit: 'M',
      }),
    ],
  };
}
