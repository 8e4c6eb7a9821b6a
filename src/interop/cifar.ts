import { damagedData, fail } from '../support/errors/data.ts';
import type { StTensor } from './safetensors.ts';

const pixels = 3 * 32 * 32;

/** Pictures [n, 3, 32, 32] and their classes, as CIFAR-10's binary files have them one after the other. Throws E0421. */
export function readCifar(
  bytes: Uint8Array,
  file: string,
): { readonly pictures: StTensor; readonly labels: StTensor } {
  const size = 1 + pixels;
  const n = Math.floor(bytes.length / size);
  const rest = bytes.length % size;
  if (n === 0 || rest > 0) {
    const what = `an example takes ${size} bytes, but the last one has ${rest}`;
    fail(damagedData(file, n * size, what, 'take the binary version of CIFAR-10, and download it again'));
  }
  const pictures = new Uint8Array(n * pixels);
  const labels = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    labels[i] = bytes[i * size]!;
    if (labels[i]! > 9)
      fail(
        damagedData(
          file,
          i * size,
          `example ${i} has class ${labels[i]}, of 0 to 9`,
          'take CIFAR-10, not CIFAR-100',
        ),
      );
    pictures.set(bytes.subarray(i * size + 1, (i + 1) * size), i * pixels);
  }
  return {
    pictures: { dtype: 'U8', shape: [n, 3, 32, 32], data: pictures },
    labels: { dtype: 'U8', shape: [n], data: labels },
  };
}
