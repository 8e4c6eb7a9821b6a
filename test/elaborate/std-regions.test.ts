import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { f32, interpret, moduleOf } from './helpers.ts';
import { near, numbers, range, value } from './library.ts';

/**
 * Results of torchvision 0.14 on CPU: roi_align with output size (2, 3), spatial_scale 0.5 and sampling_ratio 2, or
 * "legacy" with sampling_ratio 3 and aligned=False, and roi_pool; gradients to x under a random cotangent. Regions lie
 * within, across the edges, and outside.
 */
const torch = JSON.parse(
  readFileSync(new URL('../cases/torchvision/regions.json', import.meta.url), 'utf8'),
) as Record<string, number[]>;
const inputs = { x: f32([2, 2, 6, 7], torch.x!), r: f32([2, 5, 4], torch.regions!) };

describe.each([
  ['align', 'roi_align(x, r, [2, 3], scale = 0.5)'],
  ['legacy', 'roi_align(x, r, [2, 3], scale = 0.5, samples = 3, aligned = false)'],
  ['pool', 'roi_pool(x, r, [2, 3], scale = 0.5)'],
])('regions: %s', (name, expr) => {
  test('has the values of torchvision', () => near(value(expr, inputs), torch[name]!, 5));

  test('has its gradient', () => {
    const g = f32([2, 5, 2, 2, 3], torch.cotangent!);
    near(value(`grad(sum(${expr} * g), x)`, { ...inputs, g }), torch[`${name}Gradient`]!, 5);
  });
});

test('roi_align follows its regions: the gradient is that of finite differences', () => {
  const x = numbers([1, 2, 6, 6]);
  const r = [2.2, 3.1, 9.4, 8.7];
  const at = (list: number[]) =>
    value('sum(roi_align(x, r, 2, scale = 0.5) ^ 2)', { x, r: f32([1, 1, 4], list) })[0]!;
  const step = 1e-5;
  const want = range(4).map(i => {
    const moved = (by: number) => r.map((v, k) => (k === i ? v + by : v));
    return (at(moved(step)) - at(moved(-step))) / (2 * step);
  });
  near(value('grad(sum(roi_align(x, r, 2, scale = 0.5) ^ 2), r)', { x, r: f32([1, 1, 4], r) }), want, 5);
});

test('spatial_pyramid gives as many numbers for every size', () => {
  const text = 'net A(x: f32[N, 2, H, W]) -> f32[N, 42] { return spatial_pyramid(x -> max_pool(2)) }';
  const { predict } = moduleOf(text).nets[0]!;
  for (const [h, w] of [
    [8, 8],
    [10, 14],
    [9, 22],
  ] as const) {
    const x = numbers([1, 2, h, w]);
    const got = interpret(predict, { x }).out!;
    const [rows, columns] = [h >> 1, w >> 1];
    const pooled = (c: number, y: number, z: number) =>
      Math.max(...[0, 1, 2, 3].map(i => x.data[(c * h + 2 * y + (i >> 1)) * w + 2 * z + (i & 1)]!));
    const want = [4, 2, 1].flatMap(n =>
      range(2).flatMap(c =>
        range(n * n).map(i => {
          const [p, q] = [Math.floor(i / n), i % n];
          const between = (k: number, size: number) =>
            range(size).filter(v => v >= Math.floor((k * size) / n) && v < Math.ceil(((k + 1) * size) / n));
          return Math.max(...between(p, rows).flatMap(y => between(q, columns).map(z => pooled(c, y, z))));
        }),
      ),
    );
    near(got, want);
  }
});

test.each([2, 4])('conv_transpose that begins as bilinear_kernel enlarges %s times, bilinearly', times => {
  const x = numbers([1, 3, 5, 4]);
  const text = `net A(x: f32[1, 3, 5, 4]) -> (a: f32[...], b: f32[...]) {
    param weight: f32[3, 3, ${2 * times}, ${2 * times}] = bilinear_kernel
    return conv_transpose2d(x, weight, stride = ${times}, pad = ${times / 2}), upsample(x, ${times}, mode = "bilinear")
  }`;
  const net = moduleOf(text).nets[0]!;
  const weight = interpret(net.init, {})['A.weight']!;
  const edge = 2 * times;
  expect(weight.length).toBe(9 * edge * edge);
  const { a, b } = interpret(net.predict, { x, 'A.weight': f32([3, 3, edge, edge], weight) });
  // Of zeros around the picture the one knows and the other does not: the edges differ.
  const [height, width] = [5 * times, 4 * times];
  const inside = (i: number) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    return row >= times && row < height - times && column >= times && column < width - times;
  };
  const kept = a!.flatMap((_, i) => (inside(i) ? [i] : []));
  expect(kept.length).toBe(3 * (height - 2 * times) * (width - 2 * times));
  near(
    kept.map(i => a![i]!),
    kept.map(i => b![i]!),
  );
});
