import { describe, expect, test, vi } from 'vitest';
import { type Backend, gpuBackend, wasmBackend } from '../../src/cli/backend.ts';
import { getDevice } from '../gpu.ts';
import { bytes, classes, f32, letters, map, noise, scenes, stripes, strokes } from './batches.ts';
import { expectHalved, type Small, trainExample } from './train.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

const device = await getDevice();

const lenet: Small = {
  example: 'lenet',
  program: 'mnist',
  batch: { x: bytes(stripes([10, 1, 28, 28])), y: classes(10, 10) },
};

/**
 * Training programs of the examples on a batch of their own, compiled, in sizes that `-D` and `--dim` set. They are narrow,
 * since what takes time is to compile kernels, and that grows with the channels; steps cost little. (LeNet is compared
 * with the interpreter in test/gpu/training.test.ts.)
 */
const S = 2;
const halving: readonly Small[] = [
  {
    example: 'mlp',
    program: 'digits',
    batch: { x: bytes(noise([10, 784])), y: classes(10, 10) },
  },
  {
    example: 'convnet',
    program: 'digits',
    batch: { x: bytes(stripes([10, 1, 28, 28])), y: classes(10, 10) },
  },
  { example: 'autoencoder', program: 'layer1', batch: { x: strokes(8, 28) } },
  { example: 'autoencoder', program: 'layer2', batch: { x: strokes(8, 28) } },
  { example: 'autoencoder', program: 'finetune', batch: { x: strokes(8, 28), y: classes(8, 10) } },
  {
    example: 'charnn',
    program: 'text',
    defines: { Symbols: 16, Width: 64 },
    batch: { ids: letters(4, 12, 16), next: letters(4, 12, 16, 1) },
  },
  {
    example: 'unet',
    program: 'segment',
    defines: { Width: 4, Size: 32, Pad: 1, Classes: 3 },
    batch: scenes([4, 1, 32, 32]),
    steps: 60,
  },
  {
    example: 'yolo',
    program: 'detect',
    defines: { S, Width: 4, Classes: 3, Halvings: 3 },
    batch: {
      x: stripes([2, 3, 8 * S, 8 * S]),
      obj: f32([2, S, S], i => (i % 3 === 0 ? 1 : 0)),
      box: noise([2, S, S, 4], 3),
      cls: f32([2, S, S, 3], i => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0)),
    },
  },
];

/** Of DCGAN, small: it has batch norms, transposed convolutions and two steps. */
async function expectDuel(backend: Backend, Doublings: number, count: number): Promise<void> {
  const size = 4 * 2 ** Doublings;
  const { steps } = await trainExample(
    {
      example: 'dcgan',
      program: 'dcgan',
      defines: { Width: 4, Doublings },
      batch: { real: map(stripes([4, 3, size, size]), x => 2 * x - 1) },
      steps: count,
    },
    backend,
  );
  const losses = (name: string): number[] => steps.map(m => m[name]!);
  for (const loss of [...losses('d.loss'), ...losses('g.loss')]) expect(loss).toBeLessThan(10);
  expect(losses('d.loss').at(-1)!).toBeLessThan(0.7 * losses('d.loss')[0]!);
  expect(losses('g.loss').at(-1)!).toBeGreaterThan(1.2 * losses('g.loss')[0]!);
}

describe.skipIf(!device)('on a device', () => {
  const backend = device && gpuBackend(device);

  test.each(halving.map(c => [c.example, c.program, c] as const))(
    '%s: %s halves its loss',
    async (_e, _p, small) => {
      expectHalved((await trainExample(small, backend)).steps);
    },
  );

  // Dropout makes the loss of single steps jump.
  test.each([
    [
      'alexnet',
      'imagenet',
      { Slim: 16, Size: 67, Classes: 4 },
      map(stripes([4, 3, 67, 67]), x => 4 * x - 2),
      100,
    ],
    ['nin', 'cifar', { Slim: 16, Size: 12, Classes: 4, Rate: 0.005 }, bytes(stripes([4, 3, 12, 12])), 300],
  ] as const)('%s: %s halves its loss in inference mode', async (example, program, defines, x, steps) => {
    const batch = { x, y: classes(4, 4) };
    const { evaluated } = await trainExample(
      { example, program, defines, batch, steps, evaluates: true },
      backend,
    );
    expectHalved(evaluated);
  });

  test.each(['head', 'finetune'])(
    'transfer: %s halves its loss in inference mode, on a backbone of random weights',
    async program => {
      const { evaluated } = await trainExample(
        {
          example: 'transfer',
          program,
          defines: { Width: 4, Size: 32, Classes: 10 },
          batch: { x: stripes([4, 3, 32, 32]), y: classes(4, 10) },
          steps: 150,
          evaluates: true,
        },
        backend,
      );
      expectHalved(evaluated);
    },
  );

  test('dcgan: the discriminator learns, and the generator has a harder and harder time', () =>
    expectDuel(backend!, 2, 200));
});

describe('in WebAssembly', () => {
  const chosen = [lenet, ...halving.filter(c => ['convnet', 'charnn'].includes(c.example))];

  test.each(chosen.map(c => [c.example, c.program, c] as const))(
    '%s: %s halves its loss',
    async (_e, _p, small) => {
      expectHalved((await trainExample(small, wasmBackend(2))).steps);
    },
  );

  test('dcgan: the discriminator learns, and the generator has a harder and harder time', () =>
    expectDuel(wasmBackend(1), 4, 30));
});
