import { expect, test } from 'vitest';
import { type LayerTable, layersOf } from '../../src/cli/explain/layers.ts';
import { readSource } from '../../src/cli/files.ts';
import { expandGraph } from '../../src/cli/graphs.ts';
import { check } from '../../src/compile.ts';
import { exampleFile } from './train.ts';

/** What `dnnc explain` says of each net of an example, against what its paper or its course prints. */
function tables(path: string, depth = Number.POSITIVE_INFINITY): Map<string, LayerTable> {
  const file = readSource(path);
  const { module } = check(file.source, { resolve: file.resolve });
  return new Map(
    module!.nets.map(({ name, predict }) => [name, layersOf(expandGraph(predict), {}, { depth })]),
  );
}

const example = (name: string, depth?: number) => tables(exampleFile(name), depth);

/** Layers that hold values, as rows of a slide. */
const rows = (table: LayerTable) =>
  table.layers.filter(l => l.values > 0).map(l => [l.output.replace('[N, ', '['), l.values, l.weights]);

const shapes = (table: LayerTable) => rows(table).map(([shape]) => shape);

const parameters = (all: ReadonlyMap<string, LayerTable>) =>
  Object.fromEntries([...all].map(([name, t]) => [name, t.parameters]));

test('AlexNet: shapes, and 61 M parameters', () => {
  const all = example('alexnet');
  expect(shapes(all.get('AlexNet')!)).toEqual([
    ...['[96, 55, 55]', '[96, 55, 55]', '[96, 27, 27]'], // conv1, its normalisation, pool1
    ...['[256, 27, 27]', '[256, 27, 27]', '[256, 13, 13]'],
    ...['[384, 13, 13]', '[384, 13, 13]', '[256, 13, 13]', '[256, 6, 6]'],
    ...['[4096]', '[4096]', '[1000]'],
  ]);
  // 11 · 11 · 3 · 96 = 35 K; the towers of conv2 see 48 channels, those of conv4 and conv5 192.
  expect(
    all.get('AlexNet')!.layers.flatMap(l => (l.path.includes('conv') && l.weights > 0 ? [l.weights] : [])),
  ).toEqual([11 * 11 * 3 * 96, 25 * 48 * 256, 9 * 256 * 384, 9 * 192 * 384, 9 * 192 * 256]);
  expect(parameters(all)).toEqual({
    AlexNet: 60_965_224,
    OneTower: 62_378_344,
    Plain: 62_378_344,
    AlexNetOWT: 61_100_840,
  });
  // Windows that do not overlap end at the same sizes.
  expect(shapes(all.get('Plain')!).slice(-4)).toEqual(['[256, 6, 6]', '[4096]', '[4096]', '[1000]']);
});

test('VGG-16: memory and weights layer by layer, 138 M in all', () => {
  const all = example('vgg');
  const table = all.get('VGG16')!;
  const conv = (c: number, side: number, from: number) => [
    `[${c}, ${side}, ${side}]`,
    side * side * c,
    9 * from * c,
  ];
  const pool = (c: number, side: number) => [`[${c}, ${side}, ${side}]`, side * side * c, 0];
  expect(table.inputs).toEqual([{ path: 'x', output: '[N, 3, 224, 224]', values: 150_528 }]);
  expect(rows(table)).toEqual([
    ...[conv(64, 224, 3), conv(64, 224, 64), pool(64, 112)],
    ...[conv(128, 112, 64), conv(128, 112, 128), pool(128, 56)],
    ...[conv(256, 56, 128), conv(256, 56, 256), conv(256, 56, 256), pool(256, 28)],
    ...[conv(512, 28, 256), conv(512, 28, 512), conv(512, 28, 512), pool(512, 14)],
    ...[conv(512, 14, 512), conv(512, 14, 512), conv(512, 14, 512), pool(512, 7)],
    ['[4096]', 4096, 102_760_448],
    ['[4096]', 4096, 16_777_216],
    ['[1000]', 1000, 4_096_000],
  ]);
  // The slides print 24 M values, which is not the sum of their rows, and leave biases out.
  expect(table).toMatchObject({ values: 15_237_608, weights: 138_344_128, parameters: 138_357_544 });
  // Table 2 of the paper, in millions.
  const millions = Object.values(parameters(all)).map(n => Math.round(n / 1e6));
  expect(millions).toEqual([133, 133, 133, 134, 138, 144]);
});

test('GoogLeNet: operations and weights of its modules', () => {
  const table = example('googlenet', 1).get('GoogLeNet')!;
  const by = new Map(table.layers.map(l => [l.path.split('.')[1], l]));
  // Table 1 of the paper: millions of operations. Its rows of the first convolution and of 5a are of other nets.
  const operations = { a3: 128, b3: 304, a4: 74, b4: 88, c4: 100, d4: 119, e4: 170, b5: 71, head: 1 };
  expect(
    Object.fromEntries(
      Object.keys(operations).map(name => [name, Math.round(by.get(name)!.multiplyAdds / 1e6)]),
    ),
  ).toEqual(operations);
  // Its K is 1024; from 4a on the column differs by up to 8 % from the channels that the same rows name.
  expect(Math.floor(by.get('a3')!.weights / 1024)).toBe(159);
  expect(Math.round(by.get('b3')!.weights / 1024)).toBe(379);
  expect(by.get('a3')!.output).toBe('[N, 256, 28, 28]');
  expect(by.get('b5')!.output).toBe('[N, 1024, 7, 7]');
  // Without the auxiliary heads, which prediction does not compute.
  expect(table.parameters).toBe(6_998_552);
  expect(table.layers.filter(l => l.path.includes('head1') || l.path.includes('head2'))).toEqual([]);
});

test('Inception: 1x1 convolutions save more than half of the operations', () => {
  const all = tables(exampleFile('googlenet').replace('googlenet.dnn', 'inception.dnn'));
  const [naive, reduced] = [all.get('Naive')!, all.get('Reduced')!];
  expect(naive.multiplyAdds).toBe(784 * (64 * 192 + 9 * 192 * 128 + 25 * 192 * 32));
  expect(reduced.multiplyAdds).toBe(784 * 163_328);
  expect(reduced.multiplyAdds / naive.multiplyAdds).toBeLessThan(0.43);
  // And the next module has 256 channels to look at, not 416.
  expect(all.get('Naive')!.layers.at(-1)!.output).toBe('[N, 416, 28, 28]');
  expect(all.get('Reduced')!.layers.at(-1)!.output).toBe('[N, 256, 28, 28]');
});

test.each([
  ['resnet', { ResNet18: 11.7, ResNet34: 21.8, ResNet50: 25.6, ResNet101: 44.5, ResNet152: 60.2 }],
  ['resnext', { ResNeXt50: 25.0, ResNeXt101: 88.8 }],
  ['densenet', { DenseNet121: 8.0, DenseNet169: 14.1, DenseNet201: 20.0, DenseNet161: 28.7 }],
  ['nin', { NIN: 1.0 }],
  ['segnet', { SegNet: 29.4 }],
  ['fcn', { FCN32s: 136.2, FCN16s: 134.8, FCN8s: 134.5 }],
  ['unet', { UNet: 31.0 }],
])('%s: millions of parameters', (name, expected) => {
  const all = parameters(example(name));
  for (const [net, millions] of Object.entries(expected))
    expect([net, Math.round(all[net]! / 1e5) / 10]).toEqual([net, millions]);
});

test('U-Net: the sizes of its figure', () => {
  const by = new Map([...example('unet', 1).get('UNet')!.layers].map(l => [l.path.split('.')[1], l.output]));
  const sizes = ['down1', 'down2', 'down3', 'down4', 'bottom', 'up4', 'up3', 'up2', 'up1', 'scores'];
  expect(sizes.map(name => by.get(name))).toEqual([
    ...['[N, 64, 568, 568]', '[N, 128, 280, 280]', '[N, 256, 136, 136]', '[N, 512, 64, 64]'],
    ...['[N, 1024, 28, 28]', '[N, 512, 52, 52]', '[N, 256, 100, 100]', '[N, 128, 196, 196]'],
    ...['[N, 64, 388, 388]', '[N, 2, 388, 388]'],
  ]);
});
