import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  averagePrecision,
  type Box,
  cellDetections,
  cellTargets,
  classOfPixels,
  ground,
  iou,
  matchBoxes,
  pixelIou,
  sampleMatches,
  undecided,
} from '../../runtime/vision/index.ts';

describe('matching', () => {
  const object: Box = [0, 0, 10, 10];

  test('objects, ground, and what is undecided', () => {
    const boxes: Box[] = [object, [0, 0, 10, 8], [0, 0, 10, 5], [0, 0, 2, 2], [50, 50, 60, 60]];
    expect([...matchBoxes(boxes, [object])]).toEqual([0, 0, undecided, ground, ground]);
    expect([...matchBoxes(boxes, [])]).toEqual(boxes.map(() => ground));
    expect([...matchBoxes(boxes, [object], { positive: 0.5, negative: 0.5 })]).toEqual([0, 0, 0, -1, -1]);
  });

  test('the best box finds an object that no box finds well, unless it finds none at all', () => {
    const boxes: Box[] = [
      [0, 0, 10, 3],
      [0, 0, 10, 2],
    ];
    expect([...matchBoxes(boxes, [object])]).toEqual([0, ground]);
    expect([...matchBoxes(boxes, [object], { best: false })]).toEqual([undecided, ground]);
    expect([...matchBoxes([[90, 90, 99, 99]], [object])]).toEqual([ground]);
  });

  test('every object that something overlaps is found, and every match is the nearest object', () => {
    const some = (max: number) =>
      fc.array(
        fc
          .tuple(...[30, 30, 12, 12].map(m => fc.integer({ min: 1, max: m })))
          .map(([x, y, w, h]): Box => [x!, y!, x! + w!, y! + h!]),
        { minLength: 1, maxLength: max },
      );
    fc.assert(
      fc.property(some(10), some(3), (boxes, objects) => {
        const matches = [...matchBoxes(boxes, objects)];
        matches.forEach((match, i) => {
          const overlaps = objects.map(o => iou(boxes[i]!, o));
          const top = Math.max(...overlaps);
          if (match >= 0) expect(overlaps[match]).toBe(top >= 0.7 ? top : overlaps[match]);
          if (match === ground) expect(top).toBeLessThan(0.3);
          if (match === undecided) expect(top).toBeLessThan(0.7);
          if (match >= 0 && top < 0.7)
            expect(overlaps[match]).toBe(Math.max(...boxes.map(b => iou(b, objects[match]!))));
        });
        objects.forEach((object, k) => {
          const top = Math.max(...boxes.map(b => iou(b, object)));
          if (top > 0)
            expect(
              boxes.some((b, i) => iou(b, object) === top && matches[i]! >= 0),
              `${k}`,
            ).toBe(true);
        });
      }),
    );
  });

  test('samples have as many objects as asked for, and ground for the rest', () => {
    const matches = [0, 1, 0, ...Array(5).fill(undecided), ...Array(20).fill(ground)] as number[];
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const sample = sampleMatches(matches, { count: 10, random });
    expect(new Set(sample).size).toBe(10);
    expect(sample.map(i => matches[i]! >= 0)).toEqual([...Array(3).fill(true), ...Array(7).fill(false)]);
    expect(sample.every(i => matches[i] !== undecided)).toBe(true);
    expect(sampleMatches(matches, { count: 4, objects: 0.5, random }).filter(i => i < 3).length).toBe(2);
    expect(sampleMatches([0, 0], { count: 4, objects: 0.5, random }).length).toBe(2);
    expect(sampleMatches([], { count: 4, random })).toEqual([]);
  });
});

describe('average precision', () => {
  const at = (x: number): Box => [x, 0, x + 10, 10];

  test('of one class, by hand: right, wrong, right, of three objects', () => {
    const objects = [[at(0), at(50), at(100)].map(box => ({ box, kind: 0 }))];
    const found = [
      [
        { box: at(0), kind: 0, score: 0.9 },
        { box: at(200), kind: 0, score: 0.8 },
        { box: at(52), kind: 0, score: 0.7 },
      ],
    ];
    const { mean, recall } = averagePrecision(found, objects);
    expect(mean).toBeCloseTo((1 + 2 / 3) / 3, 12);
    expect(recall).toBeCloseTo(2 / 3, 12);
    expect(averagePrecision(found, objects, 0.9).recall).toBeCloseTo(1 / 3, 12);
  });

  test('an object is found once, in its own picture, as its own class', () => {
    const objects = [[{ box: at(0), kind: 0 }], [{ box: at(0), kind: 1 }]];
    const twice = [
      [
        { box: at(0), kind: 0, score: 0.5 },
        { box: at(1), kind: 0, score: 0.9 },
      ],
      [{ box: at(0), kind: 0, score: 0.95 }],
    ];
    const { classes, recall } = averagePrecision(twice, objects);
    // Best first: wrong picture's class, right, a double.
    expect(classes.get(0)).toBeCloseTo(1 / 2, 12);
    expect(classes.get(1)).toBe(0);
    expect(recall).toBe(0.5);
    expect(averagePrecision([[], []], objects).mean).toBe(0);
    expect(averagePrecision([[]], [[]])).toMatchObject({ mean: 0, recall: 0 });
    expect(() => averagePrecision([[]], [])).toThrow('detections in 1 pictures, objects in 0');
  });
});

describe('cells', () => {
  const grid = { cells: 4, classes: 3 };

  test('what they should say is detected again', () => {
    const objects = [
      { box: [0.05, 0.1, 0.35, 0.3] as Box, kind: 2 },
      { box: [0.5, 0.55, 0.9, 0.95] as Box, kind: 0 },
    ];
    const { obj, box, cls } = cellTargets(objects, grid);
    expect([...obj].filter(v => v === 1).length).toBe(2);
    const values = Array.from({ length: 16 }, (_, cell) => [
      ...[0, 0, 0, 0, 0],
      ...[box[4 * cell]!, box[4 * cell + 1]!, Math.sqrt(box[4 * cell + 2]!), Math.sqrt(box[4 * cell + 3]!)],
      obj[cell]! * 0.8,
      ...cls.slice(3 * cell, 3 * cell + 3),
    ]).flat();
    const found = cellDetections(values, { ...grid, boxes: 2 });
    expect(found.length).toBe(2);
    for (const object of objects) {
      const same = found.find(d => d.kind === object.kind)!;
      expect(same.score).toBeCloseTo(0.8, 6);
      same.box.forEach((v, i) => {
        expect(v).toBeCloseTo(object.box[i]!, 6);
      });
    }
    // Two negative numbers are no certainty.
    expect(
      cellDetections(
        values.map(v => -Math.abs(v)),
        grid,
      ),
    ).toEqual([]);
    expect(() => cellDetections(values.slice(1), grid)).toThrow('values for 4 * 4 cells of 13');
  });

  test('a cell owns one object, and edges belong to the last cells', () => {
    const { obj, cls } = cellTargets(
      [
        { box: [0.9, 0.9, 1.1, 1.1], kind: 1 },
        { box: [0.8, 0.8, 1, 1], kind: 2 },
      ],
      grid,
    );
    expect([...obj].map((v, i) => (v ? i : -1)).filter(i => i >= 0)).toEqual([15]);
    expect([...cls.slice(45)]).toEqual([0, 1, 0]);
  });
});

describe('pixels', () => {
  test('the class with the highest score', () => {
    const data = Float32Array.from([0, 5, 2, 2, 1, 4, 3, 2, 9, 0, 0, 0, 1, 1, 1, 1]);
    expect(classOfPixels({ dtype: 'f32', shape: [2, 2, 2, 2], data })).toEqual({
      ...{ dtype: 'i32', shape: [2, 2, 2] },
      data: Int32Array.from([1, 0, 1, 0, 0, 1, 1, 1]),
    });
  });

  test('intersection over union', () => {
    const { mean, classes } = pixelIou([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], 3);
    expect(classes).toEqual([1 / 3, 2 / 4, Number.NaN]);
    expect(mean).toBeCloseTo((1 / 3 + 1 / 2) / 2, 12);
    expect(() => pixelIou([0], [], 2)).toThrow('1 pixels against 0');
  });
});
