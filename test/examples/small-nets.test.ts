import { describe, expect, test, vi } from 'vitest';
import type { TensorValue } from '../../runtime/index.ts';
import { readSource } from '../../src/cli/files.ts';
import { check } from '../../src/compile.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { bytes, classes, f32, map, noise, stripes } from './batches.ts';
import { exampleFile, expectHalved, type Small, trainExample } from './train.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

test.each(['autoencoder/kinds', 'gan/cycle', 'style/tiny'])('%s is right', name => {
  const file = readSource(exampleFile(name));
  expect(check(file.source, { resolve: file.resolve }).diagnostics.map(d => renderDiagnostic(d))).toEqual([]);
});

/** One number for each of n examples, which a line can tell apart. */
const apart = (n: number, features: number): TensorValue =>
  f32([n, features], i => (Math.floor(i / features) % 3) * ((i % features) + 1) * 0.3 + 0.1 * Math.sin(i));
const dots = { x: map(noise([6, 32], 3), v => (v > 0.6 ? 1 : 0)) };
const lines = map(stripes([4, 1, 8, 8]), v => 2 * v - 1);
const signed = (seed: number): TensorValue => map(noise([4, 1, 8, 8], seed), v => 2 * v - 1);

const halving: readonly Small[] = [
  ...['logistic', 'softmax', 'svm'].map(program => ({
    example: 'perceptron',
    program,
    defines: { Rate: 0.2 },
    batch: { x: apart(9, 4), y: classes(9, 3) },
  })),
  ...['fat', 'thin'].map(program => ({
    example: 'depth',
    program,
    batch: { x: noise([10, 64]), y: classes(10, 10) },
    steps: 60,
  })),
  {
    example: 'superres',
    program: 'learn',
    defines: { Scale: 2, Size: 4 },
    batch: { large: stripes([2, 1, 8, 8]) },
    steps: 20,
  },
  {
    example: 'dream',
    program: 'learn',
    batch: { x: bytes(stripes([3, 3, 12, 12])), y: classes(3, 10) },
    steps: 20,
  },
  {
    example: 'adversarial',
    program: 'defend',
    batch: { x: bytes(stripes([2, 1, 28, 28])), y: classes(2, 2) },
    steps: 25,
  },
  {
    example: 'caption',
    program: 'learn',
    defines: { Features: 8, Hidden: 16, Length: 4 },
    batch: {
      x: stripes([4, 3, 16, 16]),
      caption: { dtype: 'i32', shape: [4, 4], data: Int32Array.from({ length: 16 }, (_, i) => (i * 5) % 12) },
    },
    steps: 60,
  },
];

test.each(halving.map(c => [c.example, c.program, c] as const))(
  '%s: %s halves its loss',
  async (_e, _p, small) => {
    expectHalved((await trainExample(small)).steps);
  },
);

test('perceptron: its rule finds a line where there is one, and then stays', async () => {
  const x = f32([6, 4], i => (Math.floor(i / 4) % 2 === 0 ? 1 : -1) * (1 + (i % 4)));
  const y: TensorValue = { dtype: 'i32', shape: [6], data: Int32Array.of(0, 1, 0, 2, 0, 1) };
  const { steps, read } = await trainExample({
    example: 'perceptron',
    program: 'perceptron',
    batch: { x, y },
    steps: 4,
  });
  expect(steps[0]!.accuracy).toBe(0.5); // At zero it fires for all.
  expect(steps.slice(1).map(s => s.accuracy)).toEqual([1, 1, 1]);
  // Wrong for three of six: half of the mean of these is taken away.
  expect(read('Perceptron.unit.weight')).toEqual([0.5, 1, 1.5, 2]);
});

describe('autoencoders', () => {
  const kinds = { example: 'autoencoder/kinds', defines: { Pixels: 32 }, batch: dots, steps: 40 };

  test.each(['undercomplete', 'overcomplete', 'denoising', 'tied', 'deep'])(
    '%s: the error falls',
    async program => {
      const { steps } = await trainExample({ ...kinds, program });
      expect(steps.at(-1)!.error).toBeLessThan(0.85 * steps[0]!.error!);
    },
  );

  test('sparse: units fall silent; contractive: the code bends less', async () => {
    const train = async (program: string) => (await trainExample({ ...kinds, program })).steps;
    const sparse = await train('sparse');
    expect(sparse.at(-1)!.active).toBeLessThan(0.6 * sparse[0]!.active!);
    const contractive = await train('contractive');
    expect(contractive.at(-1)!.bend).toBeLessThan(0.7 * contractive[0]!.bend!);
  });
});

describe('games of nets', () => {
  const width = { Width: 4 };

  test('least squares: the discriminator learns', async () => {
    const batch = { real: signed(1) };
    const { steps } = await trainExample({
      example: 'gan',
      program: 'least_squares',
      defines: width,
      batch,
      steps: 40,
    });
    expect(steps.at(-1)!['d.loss']).toBeLessThan(0.7 * steps[0]!['d.loss']!);
  });

  test('Wasserstein: the critic comes to have slope 1 between real and made', async () => {
    const batch = { real: lines };
    const { steps } = await trainExample({
      example: 'gan',
      program: 'wasserstein',
      defines: width,
      batch,
      steps: 120,
    });
    // At first it is flat, which costs 10.
    expect(steps[0]!['critic.loss']).toBeGreaterThan(9);
    expect(steps.at(-1)!['critic.loss']).toBeLessThan(0.85 * steps[0]!['critic.loss']!);
  });

  test('BEGAN: the copier copies, and k moves', async () => {
    const batch = { real: lines };
    const { steps } = await trainExample({
      example: 'gan',
      program: 'began',
      defines: width,
      batch,
      steps: 80,
    });
    expect(steps.at(-1)!['game.loss']).toBeLessThan(0.9 * steps[0]!['game.loss']!);
    // It adds up from step to step.
    expect(Math.max(...steps.map(s => s['game.k']!))).toBeGreaterThan(0.05);
  });

  test('CycleGAN: there and back again comes closer', async () => {
    const batch = { a: signed(1), b: signed(2) };
    const { steps } = await trainExample({
      example: 'gan/cycle',
      program: 'cycle',
      defines: width,
      batch,
      steps: 60,
    });
    expect(steps.at(-1)!['translators.cycle']).toBeLessThan(0.8 * steps[0]!['translators.cycle']!);
  });
});

describe('what changes pictures', () => {
  test('visualise: the net becomes sure of what it is shown', async () => {
    const { steps } = await trainExample({
      example: 'visualise',
      program: 'imagine',
      sizes: { N: 4 },
      batch: { start: noise([4, 1, 28, 28]), class: classes(4, 10) },
      steps: 15,
    });
    expect(steps.at(-1)!.sure).toBeGreaterThan(1.2 * steps[0]!.sure!);
  });

  test('dream: its layer sees more', async () => {
    const { steps } = await trainExample({
      example: 'dream',
      program: 'dream',
      sizes: { H: 16, W: 16 },
      batch: { content: stripes([1, 3, 16, 16]) },
      steps: 15,
    });
    expect(steps.at(-1)!.seen).toBeGreaterThan(1.2 * steps[0]!.seen!);
  });

  test('style/tiny: the image comes to have the style', async () => {
    const { steps } = await trainExample({
      example: 'style/tiny',
      program: 'stylize',
      sizes: { H: 16, W: 16 },
      batch: { content: stripes([1, 3, 16, 16]), style: noise([1, 3, 12, 20]) },
    });
    expectHalved(steps);
    expectHalved(steps, 'style_loss');
  });
});
