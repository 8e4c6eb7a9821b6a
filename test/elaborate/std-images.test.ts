import { describe, expect, test } from 'vitest';
import { f32, i32 } from './helpers.ts';
import { average, inTraining, near, numbers, range, total, value } from './library.ts';

describe('sizes', () => {
  const row = f32([1, 1, 1, 4], [10, 20, 30, 40]);
  const wide = (expr: string) => value(expr, { x: row });

  test('bilinear, as PyTorch’s interpolate does it', () => {
    near(wide('resize(x, 1, 8)'), [10, 12.5, 17.5, 22.5, 27.5, 32.5, 37.5, 40]);
    near(wide('resize(x, 1, 7, align_corners = true)'), [10, 15, 20, 25, 30, 35, 40]);
    near(wide('resize(x, 1, 2)'), [15, 35]);
    near(wide('resize(x, 1, 1, align_corners = true)'), [10]);
    const square = f32([1, 1, 2, 2], [0, 4, 8, 12]);
    near(value('resize(x, 3, 3, align_corners = true)', { x: square }), [0, 2, 4, 4, 6, 8, 8, 10, 12]);
  });

  test('nearest', () => {
    near(wide('resize(x, 1, 6, mode = "nearest")'), [10, 10, 20, 30, 30, 40]);
    near(wide('resize(x, 1, 3, mode = "nearest")'), [10, 20, 30]);
    near(wide('upsample(x, [2, 1])'), [10, 20, 30, 40, 10, 20, 30, 40]);
    near(value('upsample(x, 2)', { x: f32([1, 1, 2], [1, 2]) }), [1, 1, 2, 2]);
    near(wide('upsample(x, [1, 2], mode = "bilinear")'), wide('resize(x, 1, 8)'));
  });

  test('the gradient of resizing goes back where values came from', () => {
    near(wide('grad(sum(resize(x, 1, 6, mode = "nearest")), x)'), [2, 1, 2, 1]);
    near(wide('grad(sum(resize(x, 1, 8)), x)'), [2, 2, 2, 2]);
  });

  test('pixel_shuffle and back', () => {
    const x = f32([1, 4, 1, 2], range(8));
    near(value('pixel_shuffle(x, 2)', { x }), [0, 2, 1, 3, 4, 6, 5, 7]);
    near(value('pixel_unshuffle(pixel_shuffle(x, 2), 2)', { x }), range(8));
  });
});

describe('pixels', () => {
  const x = numbers([2, 3, 4, 5]);
  const at = (n: number, c: number, y: number, z: number) =>
    y >= 0 && y < 4 && z >= 0 && z < 5 ? x.data[((n * 3 + c) * 4 + y) * 5 + z]! : 0;

  test('total_variation and gram', () => {
    const image = f32([1, 2, 2, 2], [1, 3, 0, 0, 2, 2, 2, 5]);
    near(value('total_variation(x)', { x: image }), [(1 + 3 + 0 + 3) / 4 + (2 + 0 + 0 + 3) / 4]);
    near(
      value('gram(x)', { x: image }),
      [10, 8, 8, 37].map(v => v / 8),
    );
  });

  test('blur keeps a constant image and is a bell around a point', () => {
    const flat = f32([1, 1, 3, 3], new Array(9).fill(7));
    near(value('blur(x, sigma = 1, radius = 2)', { x: flat }), new Array(9).fill(7));
    const point = f32([1, 1, 1, 9], [0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const bell = range(5).map(i => Math.exp(-((i - 2) ** 2) / (2 * 1.5 ** 2)));
    const want = [0, 0, ...bell.map(v => v / total(bell)), 0, 0];
    near(value('blur(x, sigma = 1.5, radius = 2)', { x: point }), want);
  });

  test('warp mixes the four nearest pixels; outside is zero', () => {
    const row = f32([2, 1, 3], [0.25, 2, -0.5, 3.5, -2, 1]);
    const column = f32([2, 1, 3], [1.5, 3, 0, 4.25, 2, 4]);
    const want = range(2).flatMap(n =>
      range(3).flatMap(c =>
        range(3).map(i => {
          const [y, z] = [row.data[n * 3 + i]!, column.data[n * 3 + i]!];
          const [t, l] = [Math.floor(y), Math.floor(z)];
          const [d, r] = [y - t, z - l];
          const line = (k: number) => (1 - r) * at(n, c, k, l) + r * at(n, c, k, l + 1);
          return (1 - d) * line(t) + d * line(t + 1);
        }),
      ),
    );
    near(value('warp(x, row, column)', { x, row, column }), want);
  });

  test('a window of each image', () => {
    const want = range(2).flatMap(n =>
      range(3).flatMap(c => range(4).map(i => at(n, c, [1, -1][n]! + (i >> 1), [2, 4][n]! + (i & 1)))),
    );
    near(value('window(x, top, left, 2, 2)', { x, top: i32([2], [1, -1]), left: i32([2], [2, 4]) }), want);
  });

  test('a quarter turn, either way', () => {
    const square = f32([1, 1, 2, 2], [1, 2, 3, 4]);
    near(value('affine(x, zeros(1), ones(1), -ones(1), zeros(1))', { x: square }), [2, 4, 1, 3]);
    // Clockwise; the corners fall on whole pixels only up to rounding, so the image has a border that is looked past.
    const large = f32([1, 1, 4, 4], [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
    near(value('rotate(x, 90 * ones(1))[:, :, 1:3, 1:3]', { x: large }), [3, 1, 4, 2], 6);
  });
});

describe('distortions', () => {
  const square = f32([1, 1, 3, 3], range(9));

  test('zoom', () => {
    near(value('zoom(x, 2 * ones(1))', { x: square }), [2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6]);
  });

  test('displace', () => {
    const by = f32(
      [1, 2, 3, 3],
      range(18).map(i => (i < 9 ? 1 : -0.5)),
    );
    near(value('displace(x, by)', { x: square, by }), [1.5, 3.5, 4.5, 3, 6.5, 7.5, 0, 0, 0]);
  });

  test('tilt: a row at half the depth is twice as far out', () => {
    const tall = f32([1, 1, 3, 5], range(15));
    // Depths are 1 - 0.5 i / 3 of rows i = -1, 0, 1, all divided by it.
    const got = value('tilt(x, -1.5 * ones(1), zeros(1))[0, 0]', { x: tall });
    near(got.slice(5, 10), [5, 6, 7, 8, 9]);
    // Row 1 is taken from row 2 (outside by a half): i / 0.5 = 2 is outside.
    near(got.slice(10), [0, 0, 0, 0, 0]);
    // Row -1 has depth 1.5: taken from -2 / 3, columns -4 / 3 .. 4 / 3.
    near(
      got.slice(0, 5),
      [-4, -2, 0, 2, 4].map(j => 7 - (2 / 3) * 5 + j / 3),
    );
  });

  test('contrast, blanked, salted', () => {
    near(
      value('contrast(x, 0.5 * ones(1))', { x: square }),
      range(9).map(i => 4 + (i - 4) / 2),
    );
    const at = { x: square, row: i32([1], [0]), column: i32([1], [2]) };
    near(value('blanked(x + 1, row, column, 2)', at), [1, 0, 0, 4, 5, 6, 7, 8, 9]);
    near(value('blanked(x + 1, row, column, 3)', at), [1, 0, 0, 4, 0, 0, 7, 8, 9]);
    const chance = f32([1, 1, 3, 3], [0.05, 0.15, ...new Array<number>(7).fill(0.5)]);
    near(value('salted(x + 4, chance, 0.2)', { x: square, chance }), [0, 1, 6, 7, 8, 9, 10, 11, 12]);
  });
});

describe('augmentation', () => {
  const x = f32(
    [200, 1, 4, 6],
    range(4800).map(i => (i % 24) / 23),
  );
  const mean = average([...x.data]);
  const inside = (expr: string, low: number, high: number) => {
    const got = inTraining(expr, { x });
    expect(got).toBeGreaterThan(low);
    expect(got).toBeLessThan(high);
  };

  test.each([
    'random_shift(x, 1)',
    'random_flip(x)',
    'random_brightness(x, 0.5)',
    'random_contrast(x, 0.5)',
    'random_gamma(x, 0.5)',
    'random_noise(x, 0.1)',
    'salt_noise(x, 0.2)',
    'cutout(x, 2)',
    'random_rotate(x, 20)',
    'random_shear(x, 0.3)',
    'random_zoom(x, 0.3)',
    'random_perspective(x, 0.3)',
    'random_elastic(x)',
  ])('%s changes images in training, and nothing outside', call => {
    near(value(call, { x }), [...x.data]);
    expect(inTraining(`mean(abs(${call} - x))`, { x })).toBeGreaterThan(0.01);
    expect(inTraining(`mean(${call})`, { x }, 1)).not.toBe(inTraining(`mean(${call})`, { x }, 2));
  });

  test('a crop is somewhere in training, in the middle outside', () => {
    near(
      value('random_crop(x, [2, 4])[0]', { x }),
      [7, 8, 9, 10, 13, 14, 15, 16].map(i => i / 23),
    );
    inside('mean(random_crop(x, [2, 4]))', mean - 0.03, mean + 0.03);
    inside('min(random_crop(x, [2, 4]))', -1e-9, 1e-9);
    inside('max(random_crop(x, [2, 4]))', 1 - 1e-9, 1 + 1e-9);
    inside('variance(random_crop(x, [2, 4])[:, 0, 0, 0])', 0.035, 0.058);
  });

  test('amounts', () => {
    inside('max(abs(random_brightness(x, 0.5) - x))', 0.45, 0.5);
    inside('mean(random_contrast(x, 0.5))', mean - 1e-9, mean + 1e-9);
    inside('sqrt(variance(random_noise(x, 0.1) - x))', 0.09, 0.11);
    inside('mean(cast(salt_noise(x, 0.2) != x, f32))', 0.16, 0.22);
    inside('max(random_flip(x, p = 1) + x)', 28 / 23 - 1e-9, 41 / 23 + 1e-9);
    inside('mean(cast(random_flip(x, p = 1)[:, :, :, 0] == x[:, :, :, 5], f32))', 0.999, 1.001);
    // Of 24 pixels a square of 2 takes 4, or fewer at the edge.
    inside('mean(cast(cutout(x + 1, 2) == 0, f32))', 2.4 / 24, 4 / 24);
    inside('mean(abs(random_rotate(x, 0.001) - x))', 0, 1e-3);
  });
});
