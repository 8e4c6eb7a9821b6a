// Pictures as PNG files, small enough for a gallery.
import { writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';

/** A canvas of RGB bytes, white at first. */
export function canvas(width, height, [r, g, b] = [255, 255, 255]) {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i);
  return { width, height, data };
}

export function put({ width, height, data }, x, y, colour) {
  if (x >= 0 && y >= 0 && x < width && y < height) data.set(colour, 3 * (y * width + x));
}

export function writePng(path, { width, height, data }) {
  const image = new PNG({ width, height, inputHasAlpha: false, colorType: 2 });
  image.data = Buffer.from(data);
  writeFileSync(path, PNG.sync.write(image, { colorType: 2, inputHasAlpha: false, deflateLevel: 9 }));
  return path;
}

/** A PNG as f32 [1, 3, height, width], 0 to 1. */
export function readPng(bytes) {
  const { width, height, data } = PNG.sync.read(bytes);
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) values[c * plane + i] = data[4 * i + c] / 255;
  return { dtype: 'f32', shape: [1, 3, height, width], data: values };
}

/**
 * The pictures of tensors [n, 1 or 3, height, width], side by side on a canvas; of several tensors each begins a row.
 * `range` says which values are black and white: [0, 255] for bytes, else what the values span, [0, 1] or [-1, 1].
 */
export function tile(tensors, { columns, scale = 1, gap = 1, range } = {}) {
  const all = [tensors].flat();
  const [, , height, width] = all[0].shape;
  const across =
    columns ?? Math.max(...all.map(t => (all.length > 1 ? t.shape[0] : Math.ceil(Math.sqrt(t.shape[0])))));
  const rows = all.map(t => Math.ceil(t.shape[0] / across));
  const step = [scale * width + gap, scale * height + gap];
  const result = canvas(across * step[0] - gap, rows.reduce((a, b) => a + b, 0) * step[1] - gap);
  let top = 0;
  all.forEach((tensor, k) => {
    const [n, channels] = tensor.shape;
    const [low, high] = range ?? rangeOf(tensor);
    for (let i = 0; i < n; i++)
      for (let y = 0; y < scale * height; y++)
        for (let x = 0; x < scale * width; x++) {
          const at = c =>
            ((i * channels + c) * height + Math.floor(y / scale)) * width + Math.floor(x / scale);
          const value = c =>
            Math.max(0, Math.min(255, Math.round((255 * (tensor.data[at(c)] - low)) / (high - low))));
          const colour = channels === 3 ? [value(0), value(1), value(2)] : Array(3).fill(value(0));
          put(result, (i % across) * step[0] + x, (top + Math.floor(i / across)) * step[1] + y, colour);
        }
    top += rows[k];
  });
  return result;
}

/** The same in a file. */
export const sheet = (path, tensors, options) => writePng(path, tile(tensors, options));

function rangeOf({ dtype, data }) {
  if (dtype === 'u8') return [0, 255];
  let [low, high] = [Infinity, -Infinity];
  for (const v of data) [low, high] = [Math.min(low, v), Math.max(high, v)];
  if (low >= -1 && high <= 1) return [low < 0 ? -1 : 0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}
