import type { TensorValue } from '../../runtime/index.ts';
import { usageError } from './errors.ts';
import { pngOf } from './report/draw.ts';
import { describeTensor, toArray } from './tensors.ts';

/**
 * The pictures of a result [n, 1 or 3, height, width] in a PNG, side by side in a square, from the least value to the
 * greatest; values from 0 to 1, or from -1 to 1, keep this range.
 */
export function contactSheet(results: Readonly<Record<string, TensorValue>>): Buffer {
  const value = Object.values(results).find(
    ({ shape: { length, 1: channels } }) => length === 4 && (channels === 1 || channels === 3),
  );
  if (!value) {
    const types = Object.entries(results).map(([name, v]) => `${name}: ${describeTensor(v)}`);
    throw usageError(
      `no result is pictures [n, 1 or 3, height, width], as a PNG needs: ${types.join(', ')}`,
      'write a .safetensors file',
    );
  }
  const { shape, data } = toArray(value);
  const [n, channels, height, width] = shape as readonly [number, 1 | 3, number, number];
  const [low, high] = rangeOf(data);
  const columns = Math.ceil(Math.sqrt(n));
  const rows = Math.ceil(n / columns);
  const across = columns * (width + 1) - 1;
  const down = rows * (height + 1) - 1;
  const planes = new Uint8Array(channels * across * down).fill(255);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const [channel, image] = [
      Math.floor(i / width / height) % channels,
      Math.floor(i / width / height / channels),
    ];
    const at =
      (Math.floor(image / columns) * (height + 1) + y) * across + (image % columns) * (width + 1) + x;
    planes[channel * across * down + at] = Math.round((255 * (data[i]! - low)) / (high - low));
  }
  return pngOf({ width: across, height: down, channels, planes });
}

function rangeOf(data: Float64Array): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const v of data) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (low >= -1 && high <= 1) return [low < 0 ? -1 : 0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}
