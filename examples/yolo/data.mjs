// Pictures of 64 × 64 with shapes, and what the 4 × 4 cells of YOLO should say of them:
//   dnnc train examples/yolo/yolo.dnn detect -D S=4 -D Halvings=4 -D Classes=3 -D Epochs=10 --data examples/yolo/data.mjs --out run
import { cellTargets } from 'dnnc/vision';
import { boxes } from '../data/boxes.mjs';

export const grid = { cells: 4, classes: 3 };
export const size = 64;

export default ({ seed }) => examples({ seed, count: 1500 });

export function* examples(options) {
  for (const { x, objects } of scenes(options)) yield { x, ...cellTargets(unit(objects), grid) };
}

/** Pictures of one or two objects, about as large as a cell or twice that. */
export const scenes = options => boxes({ ...options, size, most: 2, smallest: 18, largest: 36 });

/** Boxes as parts of the picture. */
export const unit = objects => objects.map(({ box, kind }) => ({ kind, box: box.map(v => v / size) }));
