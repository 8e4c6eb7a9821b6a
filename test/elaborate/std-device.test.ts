import { describe, expect, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { errorOf } from '../torch/case.ts';
import { compileText, deviceBackend, graphBackend } from '../torch/run.ts';
import { f32, i32 } from './helpers.ts';
import { numbers } from './library.ts';

const device = await getDevice();

/** Expressions of images x [N, 4, H, W] whose batch and sizes are free, on a device as on the interpreter. */
const expressions = [
  'padded(x, 2, 1, mode = "reflect")',
  'padded(x, [2, 1], mode = "circular")',
  'conv2d(x, w, stride = 2, same = true, pad_mode = "replicate")',
  'conv_transpose2d(x, w, stride = 2, pad = 1, out_pad = 1, groups = 2)',
  'max_pool(x, 3, stride = 2, dilation = 2, ceil = true)',
  'avg_pool(x, 3, stride = 2, pad = 1, ceil = true, count_pad = false)',
  'max_unpool(max_pool_indices(x, 2).y, max_pool_indices(x, 2).index, 2, size = [H, W])',
  'lrn(x, 3, alpha = 0.1)',
  'standardise_groups(x, 2)',
  'resize(x, 9, 5)',
  'resize(x, 3, 7, align_corners = true)',
  'upsample(x, [2, 3])',
  'interpolate(x, [9, 5], mode = "bicubic")',
  'interpolate(x, [3, 4], mode = "bilinear", antialias = true)',
  'padded(x, 2, 1, mode = "symmetric")',
  'im2col(x, 3, stride = 2, pad = 1)',
  'adaptive_max_pool(x, 9)',
  'conv2d(x, w, pad = 1, pad_end = 2)',
  'pixel_shuffle(x, 2)',
  'pixel_unshuffle(upsample(x, 2), 2)',
  'blur(x)',
  'rotate(x, 30 * ones(N))',
  'tilt(x, 0.3 * ones(N), 0.2 * ones(N))',
  'gelu(x) + selu(x) + mish(x) + hard_swish(x)',
  'topk(reshape(x, N, -1), 3).values',
  'gram(x)',
];

describe.skipIf(!device)('the library on a device, with free sizes', () => {
  const x = numbers([2, 4, 7, 6]);
  const w = numbers([4, 4, 3, 3], 2);

  test.each(expressions)('%s', async expr => {
    const weight = expr.startsWith('conv_transpose') ? 'reshape(w, 4, 4, 3, 3)' : 'w';
    const text = `net Case(x: f32[N, 4, H, W], w: f32[4, 4, 3, 3]) -> (y: f32[...Y], g: f32[N, 4, H, W]) {
      y = ${expr.replace('(x, w', `(x, ${weight}`)}
      return y, grad(sum(y ^ 3) + 0 * sum(w), x)
    }`;
    const want = await graphBackend.net(compileText('std', text), { x, w });
    for (const target of [softwareTarget, gpuTarget]) {
      const got = await deviceBackend(device!, target).net(compileText('std', text, target), { x, w });
      for (const name of ['y', 'g']) expect(errorOf(got[name]!, want[name]!)).toBeLessThan(1e-4);
    }
  });

  test('losses with labels that do not count', async () => {
    const text = `net Case(x: f32[N, 5], y: i32[N], w: f32[5]) -> (l: f32, g: f32[N, 5]) {
      l = cross_entropy(x, y, weight = w, smoothing = 0.1, ignore = -1) + multi_hinge(x, y) + topk_accuracy(x, y, k = 2)
      return l, grad(l, x)
    }`;
    const given = { x: numbers([4, 5]), y: i32([4], [3, -1, 0, 4]), w: f32([5], [1, 2, 0.5, 1, 3]) };
    const want = await graphBackend.net(compileText('std', text), given);
    const got = await deviceBackend(device!, softwareTarget).net(
      compileText('std', text, softwareTarget),
      given,
    );
    for (const name of ['l', 'g']) expect(errorOf(got[name]!, want[name]!)).toBeLessThan(1e-4);
  });

  test('the embedding’s gradient adds up over the words', async () => {
    const text = `net Case(ids: i32[N, T], table: f32[5, 3]) -> (y: f32[N, T, 3], g: f32[5, 3]) {
      y = look_up(table, ids)
      return y, grad(sum(y ^ 2), table)
    }`;
    const given = { ids: i32([2, 3], [4, 0, 4, 1, 4, 0]), table: numbers([5, 3]) };
    const want = await graphBackend.net(compileText('std', text), given);
    const got = await deviceBackend(device!, softwareTarget).net(
      compileText('std', text, softwareTarget),
      given,
    );
    for (const name of ['y', 'g']) expect(errorOf(got[name]!, want[name]!)).toBeLessThan(1e-6);
    expect([...want.g!.data].slice(6, 9)).toEqual([0, 0, 0]);
  });
});
