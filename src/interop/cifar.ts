import { damagedData, fail } from '../support/errors/data.ts';
import type { Bytes, Layout } from './layout.ts';

const pixels = 3 * 32 * 32;

/** Pictures [n, 3, 32, 32] and their classes, as CIFAR-10's binary files have them one after the other. Throws E0421. */
export function cifarLayouts(
  bytes: Bytes,
  file: string,
): { readonly pictures: Layout; readonly labels: Layout } {
  const stride = 1 + pixels;
  const n = Math.floor(bytes.length / stride);
  const rest = bytes.length % stride;
  if (n === 0 || rest > 0) {
    const what = `an example takes ${stride} bytes, but the last one has ${rest}`;
    fail(damagedData(file, n * stride, what, 'take the binary version of CIFAR-10, and download it again'));
  }
  for (let i = 0; i < n; i++) {
    const [label] = bytes.at(i * stride, 1);
    if (label! > 9)
      fail(
        damagedData(
          file,
          i * stride,
          `example ${i} has class ${label}, of 0 to 9`,
          'take CIFAR-10, not CIFAR-100',
        ),
      );
  }
  return {
    pictures: { dtype: 'U8', shape: [n, 3, 32, 32], start: 1, stride },
    labels: { dtype: 'U8', shape: [n], start: 0, stride },
  };
}
