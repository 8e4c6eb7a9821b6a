import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readColumns } from '../../src/cli/data/read.ts';

interface Scene {
  readonly x: Float32Array;
  readonly y: Uint8Array;
  readonly objects: readonly { readonly kind: number; readonly box: readonly number[] }[];
}
const at = (path: string): string => new URL(`../../examples/${path}`, import.meta.url).href;
const { scenes } = (await import(at('data/shapes.mjs'))) as {
  scenes(options: { seed: number; count: number; size?: number; most?: number }): Iterable<Scene>;
};
const { windows } = (await import(at('overfeat/data.mjs'))) as {
  windows(options: { seed: number; count: number }): Iterable<{ x: Float32Array; y: number; box: number[] }>;
};

describe('pictures of shapes', () => {
  const size = 48;
  const all = [...scenes({ seed: 3, count: 60, size })];

  test('are the same for the same seed, and others for another', () => {
    expect([...scenes({ seed: 3, count: 60, size })]).toEqual(all);
    expect([...scenes({ seed: 4, count: 60, size })]).not.toEqual(all);
  });

  test('have one to three objects of all kinds, and values from 0 to 1', () => {
    expect(new Set(all.map(s => s.objects.length))).toEqual(new Set([1, 2, 3]));
    expect(new Set(all.flatMap(s => [...s.y]))).toEqual(new Set([0, 1, 2, 3]));
    expect(all.every(s => s.x.every(v => v >= 0 && v <= 1))).toBe(true);
  });

  test('have boxes that touch the pixels of their object, which look unlike the ground', () => {
    for (const { x, y, objects } of [...scenes({ seed: 5, count: 40, size, most: 1 })]) {
      const [{ kind, box }] = objects as [Scene['objects'][number]];
      const mine = [...y].flatMap((value, i) => (value === kind ? [[i % size, Math.floor(i / size)]] : []));
      const [columns, rows] = [mine.map(p => p[0]!), mine.map(p => p[1]!)];
      const seen = [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1];
      // The tip of a triangle, and the ends of an ellipse, are thinner than a pixel.
      seen.forEach((edge, i) => {
        expect(Math.abs(edge - box[i]!)).toBeLessThan(2);
      });
      const mean = (of: (i: number) => boolean, channel: number) => {
        const values = [...y.keys()].filter(of).map(i => x[channel * size * size + i]!);
        return values.reduce((a, b) => a + b) / values.length;
      };
      for (const c of [0, 1, 2])
        expect(Math.abs(mean(i => y[i] === 0, c) - mean(i => y[i] === kind, c))).toBeGreaterThan(0.1);
    }
  });
});

test('windows have what is in their middle', () => {
  const all = [...windows({ seed: 1, count: 100 })];
  expect(all.length).toBe(100);
  expect(new Set(all.map(w => w.y))).toEqual(new Set([0, 1, 2, 3]));
  for (const { y, box } of all) {
    const [left, top, right, bottom] = box as [number, number, number, number];
    if (y === 0) expect(box).toEqual([0, 0, 0, 0]);
    else
      for (const middle of [(left + right) / 2, (top + bottom) / 2])
        expect(Math.abs(middle - 0.5)).toBeLessThan(0.2);
  }
});

test.each([
  ['data/shapes.mjs', ['x', 'y'], 600],
  ['data/boxes.mjs', ['x', 'box', 'kind'], 600],
  ['yolo/data.mjs', ['x', 'obj', 'box', 'cls'], 1500],
  ['overfeat/data.mjs', ['x', 'y', 'box'], 1600],
])('--data %s gives %s', async (path, names, count) => {
  const columns = await readColumns(fileURLToPath(at(path)), [], 0);
  expect([...columns.keys()]).toEqual(names);
  for (const [, column] of columns) expect(column.shape[0]).toBe(count);
});
