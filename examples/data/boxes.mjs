// Pictures of shapes.mjs with what a detector should find in them: the class and the box of every object.
// `--data examples/data/boxes.mjs` gives 600 pictures of 3 × 64 × 64 with `box` [3, 4] (left, top, right, bottom in
// pixels) and `kind` [3]; where there are fewer than three objects, kind is -1 and the box 0.
// Nets that want something else of them make it of `boxes`: yolo/data.mjs, faster-rcnn/train.mjs.
import { scenes } from './shapes.mjs';

export const classes = ['ellipse', 'rectangle', 'triangle'];

export default function* ({ seed }) {
  for (const { x, objects } of boxes({ seed })) {
    const rows = [0, 1, 2].map(i => objects[i] ?? { box: [0, 0, 0, 0], kind: -1 });
    yield { x, box: rows.map(o => o.box), kind: rows.map(o => o.kind) };
  }
}

/** Pictures x and their `objects`, each with a `box` in pixels and a `kind` from 0 on, the place in `classes`. */
export function* boxes({ seed, count = 600, ...options }) {
  for (const { x, objects } of scenes({ seed, count, ...options }))
    yield { x, objects: objects.map(({ kind, box }) => ({ kind: kind - 1, box })) };
}
