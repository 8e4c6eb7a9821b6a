// Pictures that cost nothing: ellipses, rectangles and triangles of any colour on a noisy ground, drawn from a seed.
// `--data examples/data/shapes.mjs` gives 600 of them, 3 × 64 × 64 from 0 to 1, with the class of every pixel;
// `--val` with the same file gives 600 others. What they hold, as boxes: boxes.mjs.

/** Of the pixels: class 0 is the ground. */
export const classes = ['ground', 'ellipse', 'rectangle', 'triangle'];

export default ({ seed }) => masks({ seed });

/** Pictures x [3 * size * size] and the class of each pixel y [size * size]. */
export function* masks({ seed, count = 600, ...options }) {
  for (const { x, y } of scenes({ seed, count, ...options })) yield { x, y };
}

/**
 * Pictures x, the class y of each pixel, and `objects`: the `kind` of each shape, from 1 on, and its `box` [left, top,
 * right, bottom] in pixels. There are 1 to `most` of them, which hardly overlap, `margin` pixels from the edges.
 */
export function* scenes(options) {
  const { seed, count, size = 64, most = 3, smallest = size / 5, largest = size / 2, margin = 0 } = options;
  const random = randomNumbers(seed);
  const between = (low, high) => low + (high - low) * random();
  for (let i = 0; i < count; i++) {
    const objects = [];
    const wanted = 1 + Math.floor(random() * most);
    for (let tries = 0; objects.length < wanted && tries < 50; tries++) {
      const [width, height] = [between(smallest, largest), between(smallest, largest)];
      const [left, top] = [width, height].map(extent => between(margin, size - margin - extent));
      const box = [left, top, left + width, top + height];
      const kind = 1 + Math.floor(random() * 3);
      if (objects.every(o => isApart(o.box, box))) objects.push({ kind, box });
    }
    yield { ...draw(objects, size, random), objects };
  }
}

/** Whether at most a few pixels are of both boxes. */
const isApart = (a, b) =>
  Math.min(a[2], b[2]) - Math.max(a[0], b[0]) < 2 || Math.min(a[3], b[3]) - Math.max(a[1], b[1]) < 2;

/** Whether a point of a box, from (-1, -1) to (1, 1), is of the shape that touches its edges. */
const isInside = {
  1: (u, v) => u * u + v * v <= 1,
  2: () => true,
  3: (u, v) => Math.abs(u) <= (v + 1) / 2,
};

function draw(objects, size, random) {
  const plane = size * size;
  const x = new Float32Array(3 * plane);
  const y = new Uint8Array(plane);
  const ground = 0.2 + 0.6 * random();
  // Every shape has a colour of its own, unlike the ground in each channel; colours say nothing about kinds.
  const colours = objects.map(() =>
    [0, 0, 0].map(() => (ground > 0.5 ? random() * (ground - 0.2) : 1 - random() * (0.8 - ground))),
  );
  for (let at = 0; at < plane; at++) {
    const [row, column] = [Math.floor(at / size) + 0.5, (at % size) + 0.5];
    const shape = objects.findIndex(({ kind, box: [left, top, right, bottom] }) => {
      const [u, v] = [(2 * (column - left)) / (right - left) - 1, (2 * (row - top)) / (bottom - top) - 1];
      return Math.abs(u) <= 1 && Math.abs(v) <= 1 && isInside[kind](u, v);
    });
    y[at] = shape < 0 ? 0 : objects[shape].kind;
    const noise = 0.2 * (random() - 0.5);
    for (let c = 0; c < 3; c++) {
      const value = (shape < 0 ? ground : colours[shape][c]) + noise + 0.1 * (random() - 0.5);
      x[c * plane + at] = Math.min(1, Math.max(0, value));
    }
  }
  return { x, y };
}

/** Numbers from 0 to 1, the same for the same seed: a multiplicative generator (Park and Miller, 1988). */
export function randomNumbers(seed) {
  let state = (seed * 7919 + 12345) % 2147483647 || 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}
