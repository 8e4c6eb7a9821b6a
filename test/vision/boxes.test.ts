import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anchorGrid,
  area,
  type Box,
  boxAround,
  boxAt,
  centred,
  clipped,
  iou,
  movedBy,
  offsetsBetween,
  suppress,
} from '../../runtime/vision/index.ts';

const edge = fc.integer({ min: -20, max: 20 });
const extent = fc.integer({ min: 1, max: 30 });
const box = fc
  .tuple(edge, edge, extent, extent)
  .map(([x, y, width, height]): Box => [x, y, x + width, y + height]);
const closeTo = (got: readonly number[], want: readonly number[]) =>
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 9);
  });

describe('intersection over union', () => {
  test('of known boxes', () => {
    expect(iou([0, 0, 2, 2], [1, 1, 3, 3])).toBeCloseTo(1 / 7, 12);
    expect(iou([0, 0, 4, 4], [1, 1, 3, 3])).toBe(0.25);
    expect(iou([0, 0, 1, 1], [1, 0, 2, 1])).toBe(0);
    expect(iou([3, 3, 3, 3], [3, 3, 3, 3])).toBe(0);
    // Edges in the wrong order are nothing, also where both are wrong.
    expect(area([2, 2, 0, 0])).toBe(0);
    expect(iou([2, 2, 0, 0], [0, 0, 2, 2])).toBe(0);
  });

  test('counts pixels of whole boxes', () => {
    const cells = ([l, t, r, b]: Box) =>
      new Set(
        Array.from(
          { length: (r - l) * (b - t) },
          (_, i) => `${l + (i % (r - l))} ${t + Math.floor(i / (r - l))}`,
        ),
      );
    fc.assert(
      fc.property(box, box, (a, b) => {
        const [one, other] = [cells(a), cells(b)];
        const both = [...one].filter(c => other.has(c)).length;
        expect(iou(a, b)).toBeCloseTo(both / (one.size + other.size - both), 12);
        expect(iou(b, a)).toBe(iou(a, b));
        expect(iou(a, a)).toBe(1);
      }),
    );
  });
});

describe('coordinates', () => {
  test('lead there and back', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        closeTo(boxAround(centred(a)), a);
        closeTo(movedBy(a, offsetsBetween(a, b)), b);
        expect(movedBy(a, [0, 0, 0, 0])).toEqual(a);
        const inside = clipped(a, 10, 8);
        expect(clipped(inside, 10, 8)).toEqual(inside);
        expect(iou(inside, [0, 0, 10, 8])).toBeCloseTo(area(inside) / 80, 12);
      }),
    );
  });

  test('as Fast R-CNN writes them', () => {
    expect(offsetsBetween([0, 0, 10, 20], [5, 10, 25, 20])).toEqual([1, 0.25, Math.log(2), Math.log(0.5)]);
    for (const edge of movedBy([0, 0, 16, 16], [0, 0, 1000, 1000])) expect(Math.abs(edge)).toBeLessThan(1000);
    expect(boxAt([9, 9, 9, 9, 1, 2, 3, 4], 1)).toEqual([1, 2, 3, 4]);
  });

  test('of anchors: around the middle of each place, with the areas and ratios asked for', () => {
    const boxes = anchorGrid({ rows: 2, columns: 3, stride: 8, sizes: [4, 6], ratios: [0.25, 1, 4] });
    expect(boxes.length).toBe(2 * 3 * 6);
    closeTo(boxes[0]!, [0, 3, 8, 5]);
    closeTo(boxes[1]!, [2, 2, 6, 6]);
    boxes.forEach((b, i) => {
      const [x, y, width, height] = centred(b);
      const place = Math.floor(i / 6);
      closeTo([x, y], [8 * (place % 3) + 4, 8 * Math.floor(place / 3) + 4]);
      closeTo([width * height, height / width], [[16, 36][Math.floor(i / 3) % 2]!, [0.25, 1, 4][i % 3]!]);
    });
  });
});

describe('non-maximum suppression', () => {
  const boxes: Box[] = [
    [0, 0, 10, 10],
    [1, 0, 11, 10],
    [20, 0, 30, 10],
    [0, 1, 10, 11],
  ];

  test('keeps the best of what overlaps', () => {
    expect(suppress(boxes, [0.5, 0.9, 0.1, 0.7])).toEqual([1, 2]);
    expect(suppress(boxes, [0.5, 0.9, 0.1, 0.7], { classes: [0, 1, 0, 0] })).toEqual([1, 3, 2]);
    expect(suppress(boxes, [0.5, 0.9, 0.1, 0.7], { least: 0.2 })).toEqual([1]);
    expect(suppress(boxes, [0.5, 0.9, 0.1, 0.7], { most: 1 })).toEqual([1]);
    expect(suppress(boxes, [0.5, 0.9, 0.1, 0.7], { overlap: 0.9 })).toEqual([1, 3, 0, 2]);
    expect(suppress([], [])).toEqual([]);
    expect(() => suppress(boxes, [1])).toThrow('4 boxes with 1 scores');
  });

  test('again changes nothing; what stays overlaps little, what goes overlaps something better', () => {
    const scored = fc.array(fc.tuple(box, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 1 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(scored, fc.constantFrom(0.2, 0.5, 0.8), (list, overlap) => {
        const [all, scores, classes] = [0, 1, 2].map(k => list.map(item => item[k])) as [
          Box[],
          number[],
          number[],
        ];
        const kept = suppress(all, scores, { overlap, classes });
        const again = suppress(
          kept.map(i => all[i]!),
          kept.map(i => scores[i]!),
          { overlap, classes: kept.map(i => classes[i]!) },
        );
        expect(again).toEqual(kept.map((_, i) => i));
        const near = (i: number, k: number) =>
          i !== k && classes[i] === classes[k] && iou(all[i]!, all[k]!) > overlap;
        all.forEach((_, i) => {
          if (kept.includes(i)) expect(kept.some(k => near(i, k))).toBe(false);
          else expect(kept.some(k => near(i, k) && scores[k]! >= scores[i]!)).toBe(true);
        });
      }),
    );
  });
});
