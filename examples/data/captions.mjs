// Small pictures of two things, and what is to be said of them: "a red disc above a blue square".
const colours = {
  red: [0.9, 0.2, 0.2],
  green: [0.2, 0.8, 0.3],
  blue: [0.25, 0.35, 0.95],
  yellow: [0.95, 0.85, 0.2],
};
const shapes = {
  square: (y, x) => Math.max(Math.abs(y), Math.abs(x)) <= 2,
  disc: (y, x) => Math.hypot(y, x) <= 2.6,
  cross: (y, x) => Math.min(Math.abs(y), Math.abs(x)) < 1 && Math.max(Math.abs(y), Math.abs(x)) <= 3,
};
const relations = ['above', 'below', 'beside'];

/** Words by their number; 0 begins a caption and ends it. */
export const vocabulary = ['.', 'a', ...Object.keys(colours), ...Object.keys(shapes), ...relations];

const size = 16;
const length = 8;

/** A caption's words, or a row of numbers, as a sentence. */
export function sentence(numbers) {
  const end = numbers.indexOf(0);
  return [...(end < 0 ? numbers : numbers.slice(0, end))].map(n => vocabulary[n] ?? '?').join(' ');
}

/** `n` pictures x f32 [n, 3, 16, 16] with their captions i32 [n, 8]; the same for the same seed. */
export function captioned(n, seed = 0) {
  const next = generator(seed);
  const pick = list => list[Math.floor(next() * list.length)];
  const x = new Float32Array(n * 3 * size * size).map(() => 0.1 * next());
  const caption = new Int32Array(n * length);
  for (let i = 0; i < n; i++) {
    const things = [0, 1].map(() => ({
      colour: pick(Object.keys(colours)),
      shape: pick(Object.keys(shapes)),
    }));
    const relation = pick(relations);
    const [far, near] = [4 + Math.floor(next() * 2), 4 + Math.floor(next() * 8)];
    // The first thing stands in one half of the picture, the second in the other.
    const places =
      relation === 'beside'
        ? [
            [near, far],
            [near, far + 7],
          ]
        : [
            [far, near],
            [far + 7, near],
          ];
    if (relation === 'below') places.reverse();
    for (const [k, { colour, shape }] of things.entries())
      draw(x, i, colours[colour], shapes[shape], places[k]);
    const [one, two] = things;
    const words = ['a', one.colour, one.shape, relation, 'a', two.colour, two.shape];
    words.forEach((word, at) => {
      caption[i * length + at] = vocabulary.indexOf(word);
    });
  }
  return {
    x: { dtype: 'f32', shape: [n, 3, size, size], data: x },
    caption: { dtype: 'i32', shape: [n, length], data: caption },
  };
}

function draw(x, image, colour, inside, [row, column]) {
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      if (inside(i - row, j - column))
        colour.forEach((value, c) => {
          x[((image * 3 + c) * size + i) * size + j] = value;
        });
}

/** Numbers from 0 to 1 (mulberry32). */
function generator(seed) {
  let state = (seed * 0x9e3779b9 + 0x6d2b79f5) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
