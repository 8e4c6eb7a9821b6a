/** Narrow copies of example nets that PyTorch has been asked about: test/cases/nets/make.py has the same in Python. */
export interface OracleNet {
  readonly example: string;
  readonly net: string;
  readonly defines: Readonly<Record<string, number>>;
  /** Of x and y, and what the training program makes of them. */
  readonly program: string;
}

const train = (x: string, y: string, loss: string, net: string): string =>
  `train fit {\n  data x: ${x}\n  data y: ${y}\n  loss = ${loss}\n  minimize loss over ${net} by sgd(lr = 0.02, momentum = 0.9)\n}\n`;

const classifier = (
  example: string,
  net: string,
  size: number,
  defines: Record<string, number>,
  mode = '',
) => ({
  example,
  net,
  defines: { ...defines, Size: size, Classes: 5 },
  program: train(`f32[N, 3, ${size}, ${size}]`, 'i32[N]', `cross_entropy(${mode}${net}(x), y)`, net),
});

/** Residual nets of four blocks: each kind of block is there, with and without a projection. */
const few = (example: string, unit: string, defines: Record<string, number>): OracleNet => {
  const net = classifier(example, 'Few', 32, defines);
  const layers = `net Few = ResNet([2, 1, 1], unit = ${unit}, classes = Classes, width = Width)\n`;
  return { ...net, program: layers + net.program };
};

// Where there is dropout the net is taken as it predicts: PyTorch's random numbers are others.
export const oracleNets: readonly OracleNet[] = [
  classifier('alexnet', 'AlexNet', 67, { Slim: 24 }, 'infer '),
  classifier('vgg', 'VGG11', 32, { Width: 3 }, 'infer '),
  classifier('nin', 'NIN', 12, { Slim: 32 }, 'infer '),
  {
    ...classifier('googlenet', 'GoogLeNet', 65, { Slim: 16 }),
    program: train(
      'f32[N, 3, 65, 65]',
      'i32[N]',
      'cross_entropy(out, y) + 0.3 * cross_entropy(out.aux1, y) + 0.3 * cross_entropy(out.aux2, y)',
      'GoogLeNet',
    ).replace('  loss', '  out = infer GoogLeNet(x)\n  loss'),
  },
  few('resnet', 'Basic', { Width: 3 }),
  few('resnext', 'Split4', { Width: 4, Cardinality: 2 }),
  classifier('densenet', 'Small', 64, { Growth: 3 }),
  {
    example: 'segnet',
    net: 'SegNet',
    defines: { Width: 2, Size: 32, Classes: 3 },
    program: train('f32[N, 3, 32, 32]', 'i32[N, 32, 32]', 'cross_entropy(SegNet(x), y)', 'SegNet'),
  },
  {
    example: 'unet',
    net: 'UNet',
    defines: { Width: 2, Size: 32, Pad: 1, Classes: 3 },
    program: train('f32[N, 1, 32, 32]', 'i32[N, 32, 32]', 'cross_entropy(infer UNet(x), y)', 'UNet'),
  },
];
