import { boxAround, clipped } from './box.ts';
import type { Detection, Labelled } from './detections.ts';
import { suppress } from './suppress.ts';

/** A picture of side 1 in cells × cells, each of which predicts some boxes and one class (YOLO; Redmon et al., 2015). */
export interface CellGrid {
  readonly cells: number;
  readonly classes: number;
}

/**
 * What cells should say of the objects of a picture of side 1: `obj` is 1 where the middle of an object is, `box` its x and
 * y within the cell, and its width and height as parts of the picture, `cls` 1 for its class. Row by row. Of two objects in a
 * cell the first counts: it can own one alone.
 */
export function cellTargets(objects: readonly Labelled[], { cells, classes }: CellGrid) {
  const obj = new Float32Array(cells * cells);
  const box = new Float32Array(4 * cells * cells);
  const cls = new Float32Array(classes * cells * cells);
  for (const {
    box: [left, top, right, bottom],
    kind,
  } of objects) {
    const [x, y] = [((left + right) / 2) * cells, ((top + bottom) / 2) * cells];
    const [column, row] = [x, y].map(at => Math.min(Math.max(Math.floor(at), 0), cells - 1)) as [
      number,
      number,
    ];
    const cell = row * cells + column;
    if (obj[cell]) continue;
    obj[cell] = 1;
    box.set([x - column, y - row, right - left, bottom - top], 4 * cell);
    cls[classes * cell + kind] = 1;
  }
  return { obj, box, cls };
}

export interface CellOptions extends CellGrid {
  /** Boxes that each cell predicts; 2 if absent. */
  readonly boxes?: number;
  /** Detections that are less sure are left out; 0.1 if absent. */
  readonly least?: number;
  /** As of `suppress`. */
  readonly overlap?: number;
}

/**
 * What cells say of a picture of side 1, without doubles: for each cell, row by row, `boxes` times (x and y within the cell,
 * the square roots of width and height, confidence), then the class scores. A detection's score is its confidence times the
 * score of its class.
 */
export function cellDetections(
  values: ArrayLike<number>,
  { cells, classes, boxes: count = 2, least = 0.1, overlap }: CellOptions,
): Detection[] {
  const width = 5 * count + classes;
  if (values.length !== cells * cells * width)
    throw new RangeError(`${values.length} values for ${cells} * ${cells} cells of ${width}`);
  const all: Detection[] = [];
  for (let cell = 0; cell < cells * cells; cell++) {
    const [column, row] = [cell % cells, Math.floor(cell / cells)];
    const from = cell * width;
    const scores = Array.from({ length: classes }, (_, k) => values[from + 5 * count + k]!);
    const kind = scores.indexOf(Math.max(...scores));
    for (let b = 0; b < count; b++) {
      const [x, y, w, h, sure] = Array.from({ length: 5 }, (_, i) => values[from + 5 * b + i]!) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const box = clipped(boxAround([(column + x) / cells, (row + y) / cells, w * w, h * h]), 1, 1);
      all.push({ box, kind, score: Math.max(sure, 0) * Math.max(scores[kind]!, 0) });
    }
  }
  const [boxes, scores, kinds] = [all.map(d => d.box), all.map(d => d.score), all.map(d => d.kind)];
  return suppress(boxes, scores, { classes: kinds, least, ...(overlap !== undefined && { overlap }) }).map(
    i => all[i]!,
  );
}
