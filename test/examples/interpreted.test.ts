import { describe, expect, test, vi } from 'vitest';
import { bytes, classes, f32, integers, noise, scenes, stripes } from './batches.ts';
import { expectHalved, type Small, trainExample } from './train.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

/**
 * Training programs of the examples on a batch of their own, in sizes that `-D` and `--dim` set: those that the
 * interpreter runs faster than they compile.
 */
const halving: readonly Small[] = [
  {
    example: 'resnet',
    program: 'imagenet',
    defines: { Width: 2, Size: 32, Classes: 10 },
    batch: { x: stripes([4, 3, 32, 32]), y: classes(4, 10) },
    steps: 10,
  },
  {
    example: 'resnext',
    program: 'imagenet',
    defines: { Width: 2, Cardinality: 2, Size: 32, Classes: 10 },
    batch: { x: stripes([4, 3, 32, 32]), y: classes(4, 10) },
    steps: 10,
  },
  {
    example: 'densenet',
    program: 'imagenet',
    defines: { Growth: 4, Size: 32, Classes: 4 },
    batch: { x: stripes([4, 3, 32, 32]), y: classes(4, 4) },
    steps: 10,
  },
  {
    example: 'segnet',
    program: 'segment',
    defines: { Width: 4, Size: 32, Classes: 3 },
    batch: scenes([2, 3, 32, 32]),
    steps: 10,
  },
  {
    example: 'faster-rcnn',
    program: 'detect',
    defines: { Width: 4, Size: 16, Regions: 4 },
    batch: {
      x: stripes([2, 3, 16, 16]),
      object: integers([2, 24], i => (i % 3) - 1),
      to_object: noise([2, 24, 4], 3),
      regions: f32([2, 4, 4], i => (i % 4 < 2 ? 1 : 12) + (i % 3)),
      kind: integers([2, 4], i => (i % 5) - 1),
      to_box: noise([2, 4, 4], 4),
    },
  },
  {
    example: 'overfeat',
    program: 'detect',
    defines: { Width: 4 },
    batch: { x: stripes([4, 3, 38, 38]), y: classes(4, 4), box: noise([4, 4], 3) },
  },
  {
    example: 'custom',
    program: 'fit',
    // Not grey, which normalising over the channels would make all one.
    batch: { x: noise([5, 3, 8, 8]), y: classes(5, 5) },
  },
];

test.each(halving.map(c => [c.example, c.program, c] as const))(
  '%s: %s halves its loss',
  async (_e, _p, small) => {
    expectHalved((await trainExample(small)).steps);
  },
);

test.each([
  ['fcn', 'segment8', { Width: 2, Size: 32, Classes: 3, Rate: 5e-3 }, scenes([2, 3, 32, 32]), 40],
  ['spp', 'digits', { Width: 4 }, { x: bytes(stripes([4, 1, 12, 10])), y: classes(4, 4) }, 30],
] as const)('%s: %s halves its loss in inference mode', async (example, program, defines, batch, steps) => {
  const { evaluated } = await trainExample({ example, program, defines, batch, steps, evaluates: true });
  expectHalved(evaluated);
});

test('googlenet: imagenet halves its loss in inference mode; dropout of 0.7 makes that of single steps jump', async () => {
  const { evaluated } = await trainExample({
    example: 'googlenet',
    program: 'imagenet',
    defines: { Slim: 16, Size: 80, Classes: 10 },
    batch: { x: stripes([2, 3, 80, 80]), y: classes(2, 10) },
    evaluates: true,
  });
  expectHalved(evaluated);
});

describe('what changes images instead of nets', () => {
  test('style: the image comes to have the style, and stays near its content', async () => {
    const content = stripes([1, 3, 32, 32]);
    const { steps, read } = await trainExample({
      example: 'style',
      program: 'stylize',
      defines: { Width: 4 },
      sizes: { H: 32, W: 32 },
      batch: { content, style: noise([1, 3, 48, 40]) },
    });
    expectHalved(steps);
    expectHalved(steps, 'style_loss');
    // It begins as the content.
    expect(steps[0]!.content_loss).toBe(0);
    const moved = read('stylize.image').map((v, i) => Math.abs(v - content.data[i]!));
    expect(Math.max(...moved)).toBeGreaterThan(0.1);
    expect(moved.reduce((a, b) => a + b) / moved.length).toBeLessThan(0.5);
  });

  test('custom: the attack more than doubles the loss of the net that it attacks', async () => {
    const { steps, read } = await trainExample({
      example: 'custom',
      program: 'attack',
      sizes: { N: 5 },
      batch: { x: stripes([5, 3, 8, 8]), y: classes(5, 5) },
    });
    const harm = steps.map(m => -m.loss!);
    expect(harm.at(-1)!).toBeGreaterThan(2 * harm[0]!);
    expect(read('attack.delta')).toHaveLength(5 * 3 * 8 * 8);
  });
});
