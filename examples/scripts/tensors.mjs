// Files of tensors, and the real digits in the size that a net takes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readWeights, writeWeights } from 'dnnc/runtime';

export const load = path => readWeights(readFileSync(path));

/** Writes tensors `{ dtype, shape, data }` by name, and gives the path. */
export function save(path, tensors) {
  writeFileSync(path, writeWeights(tensors));
  return path;
}

/**
 * `examples` of the real digits from `first` on, `channels` × `size` × `size`: every pixel is a square, with a border as
 * wide as fits; bytes 0 to 255. There are 1797, of which the last 360 are held out in the usual split.
 */
export function digits({ size = 28, channels = 1, first = 0, examples = 1437 } = {}) {
  const { images, labels } = load(new URL('../data/digits.safetensors', import.meta.url));
  const n = Math.min(examples, labels.data.length - first);
  const scale = Math.floor(size / 8);
  const border = (size - 8 * scale) >> 1;
  const data = new Uint8Array(n * channels * size * size);
  for (let i = 0; i < n; i++)
    for (let row = 0; row < 8 * scale; row++)
      for (let column = 0; column < 8 * scale; column++) {
        const from = ((first + i) * 8 + Math.floor(row / scale)) * 8 + Math.floor(column / scale);
        const value = Math.round((images.data[from] * 255) / 16);
        for (let c = 0; c < channels; c++)
          data[((i * channels + c) * size + row + border) * size + column + border] = value;
      }
  return {
    x: { dtype: 'u8', shape: [n, channels, size, size], data },
    y: { dtype: 'i32', shape: [n], data: labels.data.slice(first, first + n) },
  };
}

/**
 * Writes train.safetensors, of the first `examples` digits, and test.safetensors, of the 360 that are held out, and
 * gives their paths. `as` makes something else of the tensors x and y first.
 */
export function writeSplit(folder, { size, channels, examples = 1437, test = 360, as = t => t } = {}) {
  mkdirSync(folder, { recursive: true });
  return {
    train: save(`${folder}/train.safetensors`, as(digits({ size, channels, examples }))),
    test: save(`${folder}/test.safetensors`, as(digits({ size, channels, first: 1437, examples: test }))),
  };
}

/** Bytes as f32, `value * times + plus`: -D … what a net takes that wants floats. */
export const asFloats = ({ shape, data }, times = 1 / 255, plus = 0) => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data, v => v * times + plus),
});
