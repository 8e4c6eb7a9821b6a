// Pictures of 64 × 64 with shapes, and what the 4 × 4 cells of YOLO should say of them:
//   dnnc train examples/yolo/yolo.dnn detect -D S=4 -D Halvings=4 -D Classes=3 --data examples/yolo/data.mjs --out run
import { cellTargets } from 'dnnc/vision';
import { boxes } from '../data/boxes.mjs';

export const grid = { cells: 4, classes: 3 };
export const size = 64;

export default ({ seed }) => examples({ seed, count: 1000 });

export function* examples(options) {
  for (const { x, objects } of boxes({ ...options, size })) yield { x, ...cellTargets(unit(objects), grid) };
}

/** Boxes as parts of the picture. */
export const unit = objects => objects.map(({ box, kind }) => ({ kind, box: box.map(v => v / size) }));
