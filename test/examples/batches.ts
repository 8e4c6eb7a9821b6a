import type { TensorValue } from '../../runtime/index.ts';
import { generator } from '../arbitrary/numbers.ts';

const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export function f32(shape: readonly number[], value: (i: number) => number): TensorValue {
  return { dtype: 'f32', shape, data: Float32Array.from({ length: count(shape) }, (_, i) => value(i)) };
}

export const integers = (shape: readonly number[], value: (i: number) => number): TensorValue => ({
  dtype: 'i32',
  shape,
  data: Int32Array.from({ length: count(shape) }, (_, i) => value(i)),
});

/** Numbers from 0 to 1. */
export function noise(shape: readonly number[], seed = 1): TensorValue {
  const next = generator(seed);
  return f32(shape, () => (next() + 1) / 2);
}

export const classes = (n: number, of: number): TensorValue => ({
  dtype: 'i32',
  shape: [n],
  data: Int32Array.from({ length: n }, (_, i) => i % of),
});

/** A text of n lines in letters from 0 to `of` - 1, in which each letter says what the next one is. */
export const letters = (n: number, length: number, of: number, from = 0): TensorValue => ({
  dtype: 'i32',
  shape: [n, length],
  data: Int32Array.from(
    { length: n * length },
    (_, i) => (3 * Math.floor(i / length) + 5 * ((i % length) + from)) % of,
  ),
});

/** Images from 0 to 1, each with stripes of its own width and direction: something to tell apart. */
export function stripes([n, channels, height, width]: readonly [
  number,
  number,
  number,
  number,
]): TensorValue {
  const grain = noise([n, channels, height, width], 7).data;
  return f32([n, channels, height, width], i => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const image = Math.floor(i / (width * height * channels));
    const angle = (image * Math.PI) / n;
    const wave = Math.sin(((x * Math.cos(angle) + y * Math.sin(angle)) * (2 + image) * 3) / width);
    return 0.4 + 0.4 * wave + 0.2 * grain[i]!;
  });
}

/** 0 to 255. */
export const bytes = ({ shape, data }: TensorValue): TensorValue => ({
  dtype: 'u8',
  shape,
  data: Uint8Array.from(data, v => Math.floor(v * 255)),
});

export const map = ({ shape, data }: TensorValue, f: (x: number) => number): TensorValue =>
  f32(shape, i => f(data[i]!));

/** Mostly black pictures in rows, a few bright lines on each, as of handwriting. */
export function strokes(n: number, side: number): TensorValue {
  return f32([n, side * side], i => {
    const [image, y, x] = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    const inside = Math.min(x, y, side - 1 - x, side - 1 - y) > side / 7;
    return inside && (x * (image % 3) + y * (1 + (image % 4)) + image) % 9 < 2 ? 1 : 0;
  });
}

/** Noisy pictures with a square and a disc each, and what every pixel shows: 0 ground, 1 square, 2 disc. */
export function scenes([n, channels, height, width]: readonly [number, number, number, number]): {
  x: TensorValue;
  y: TensorValue;
} {
  const radius = width / 6;
  const kind = (image: number, y: number, x: number): number => {
    const [row, column] = [((image * 5) % 7) + radius, ((image * 3) % 5) + radius];
    if (Math.hypot(y - (height - row), x - (width - column)) < radius) return 2;
    return Math.max(Math.abs(y - row), Math.abs(x - column)) < radius ? 1 : 0;
  };
  const at = (i: number): number =>
    kind(Math.floor(i / width / height), Math.floor(i / width) % height, i % width);
  const grain = noise([n, channels, height, width], 5).data;
  const size = height * width;
  return {
    x: f32([n, channels, height, width], i => {
      const image = Math.floor(i / size / channels);
      return [0.2, 0.8, 0.5][at(image * size + (i % size))]! + 0.3 * grain[i]!;
    }),
    y: {
      dtype: 'i32',
      shape: [n, height, width],
      data: Int32Array.from({ length: n * size }, (_, i) => at(i)),
    },
  };
}
