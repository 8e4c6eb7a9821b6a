// Makes the digits that LeNet takes: 28×28 from the 8×8 originals, in two files with the keys x and y.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { readWeights, writeWeights } from 'dnnc/runtime';

const root = new URL('..', import.meta.url);
const held = 1437;
const [from, to, scale, border] = [8, 28, 3, 2];

/** Writes train.safetensors (rows 0 to 1436) and test.safetensors (the others) into `folder`, and gives their paths. */
export function writeDigits(folder) {
  const { images, labels } = readWeights(readFileSync(new URL('examples/data/digits.safetensors', root)));
  mkdirSync(folder, { recursive: true });
  const part = (name, first, end) => {
    const x = new Uint8Array((end - first) * to * to);
    for (let row = first; row < end; row++)
      enlarge(images.data, row * from * from, x, (row - first) * to * to);
    const path = `${folder}/${name}.safetensors`;
    const n = end - first;
    const tensors = {
      x: { dtype: 'u8', shape: [n, 1, to, to], data: x },
      y: { dtype: 'i32', shape: [n], data: labels.data.slice(first, end) },
    };
    writeFileSync(path, writeWeights(tensors));
    return path;
  };
  return { train: part('train', 0, held), test: part('test', held, labels.data.length) };
}

/** Every pixel 3×3 times, a border of two around, 0 to 16 as 0 to 255. */
function enlarge(source, at, target, start) {
  for (let i = 0; i < from * scale; i++)
    for (let j = 0; j < from * scale; j++) {
      const value = source[at + Math.floor(i / scale) * from + Math.floor(j / scale)];
      target[start + (i + border) * to + j + border] = Math.round((value * 255) / 16);
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { train, test } = writeDigits(process.argv[2] ?? 'out/digits');
  console.log(`${train}\n${test}`);
}
