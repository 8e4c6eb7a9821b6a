import type { TensorValue } from '../tensor.ts';

/** The class with the highest score at each pixel, of scores [n, classes, height, width]; of equals the first. */
export function classOfPixels({ shape, data }: TensorValue): TensorValue {
  const [n, classes, height, width] = shape as readonly [number, number, number, number];
  if (shape.length !== 4)
    throw new RangeError(`scores [n, classes, height, width], not [${shape.join(', ')}]`);
  const plane = height * width;
  const best = new Int32Array(n * plane);
  for (let i = 0; i < best.length; i++) {
    const first = Math.floor(i / plane) * classes * plane + (i % plane);
    for (let c = 1; c < classes; c++)
      if (data[first + c * plane]! > data[first + best[i]! * plane]!) best[i] = c;
  }
  return { dtype: 'i32', shape: [n, height, width], data: best };
}

/**
 * Intersection over union of what is said to be of a class with what is, over all pixels together: of each class (NaN
 * where it occurs in neither), and the mean over those that occur.
 */
export function pixelIou(
  said: ArrayLike<number>,
  is: ArrayLike<number>,
  classes: number,
): { readonly mean: number; readonly classes: readonly number[] } {
  if (said.length !== is.length) throw new RangeError(`${said.length} pixels against ${is.length}`);
  const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
  for (let i = 0; i < said.length; i++) {
    const [a, b] = [said[i]!, is[i]!];
    either[a]!++;
    if (a === b) both[a]!++;
    else either[b]!++;
  }
  const each = [...both].map((value, c) => value / either[c]!);
  const seen = each.filter(value => !Number.isNaN(value));
  return { mean: seen.reduce((a, b) => a + b, 0) / seen.length, classes: each };
}
