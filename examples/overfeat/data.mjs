// Windows of 38 × 38 out of pictures of shapes, with what is in their middle: the class, 0 for ground, and the box as parts
// of the window.
//   dnnc train examples/overfeat/overfeat.dnn detect --data examples/overfeat/data.mjs --out run
import { boxes } from '../data/boxes.mjs';
import { randomNumbers } from '../data/shapes.mjs';

export const window = 38;
export const size = 78;

export default ({ seed }) => windows({ seed, count: 1600 });

export function* windows({ seed, count }) {
  const random = randomNumbers(seed + 1);
  const between = (low, high) => low + Math.floor((high - low) * random());
  let made = 0;
  for (const { x, objects } of scenes({ seed, count })) {
    // Two windows near an object, one anywhere.
    for (let k = 0; k < 3; k++) {
      const { box } = objects[between(0, objects.length)];
      const near = i => Math.round((box[i] + box[i + 2] - window) / 2) + between(-5, 6);
      const [left, top] = (k < 2 ? [near(0), near(1)] : [0, 0].map(() => between(0, size - window + 1))).map(
        at => Math.min(Math.max(at, 0), size - window),
      );
      const example = { x: cropped(x, left, top), ...middleOf(objects, left, top) };
      // What is neither in the middle nor out of it teaches nothing.
      if (example.y < 0) continue;
      yield example;
      if (++made === count) return;
    }
  }
}

/** Pictures of objects that fit into a window, and are not so near to an edge that none has them in the middle. */
export const scenes = options => boxes({ ...options, size, smallest: 16, largest: 28, margin: 8 });

function middleOf(objects, left, top) {
  const middle = window / 2;
  const far = ({ box }) =>
    Math.max(Math.abs((box[0] + box[2]) / 2 - left - middle), Math.abs((box[1] + box[3]) / 2 - top - middle));
  const [object] = [...objects].sort((a, b) => far(a) - far(b));
  if (far(object) > 10) return { y: 0, box: [0, 0, 0, 0] };
  if (far(object) > 5) return { y: -1, box: [0, 0, 0, 0] };
  return { y: object.kind + 1, box: object.box.map((v, i) => (v - (i % 2 ? top : left)) / window) };
}

function cropped(x, left, top) {
  const data = new Float32Array(3 * window * window);
  for (let c = 0; c < 3; c++)
    for (let row = 0; row < window; row++) {
      const from = (c * size + top + row) * size + left;
      data.set(x.subarray(from, from + window), (c * window + row) * window);
    }
  return data;
}
