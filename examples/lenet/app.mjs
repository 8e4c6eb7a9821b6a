// Classifies held-out digits with the generated module. `npm run quickstart` makes what it reads:
//   node examples/lenet/app.mjs [weights] [digits]
import { readFileSync } from 'node:fs';
import { readWeights } from 'dnnc/runtime';
import { NoAdapterError, release, requestDevice } from 'dnnc/runtime/node';
import { loadLeNet } from '../../out/lenet/lenet.js';

const [weightsFile = 'out/lenet/weights.safetensors', digitsFile = 'out/digits/test.safetensors'] =
  process.argv.slice(2);

// A page has none to pass: the module asks the browser.
const device = await requestDevice({ adapter: 'gpu' }).catch(error => {
  if (!(error instanceof NoAdapterError)) throw error;
});
// A training's weights hold the optimiser's state too, which the net does not have: `extra`.
const net = await loadLeNet({
  // Without a GPU it runs in WebAssembly.
  ...(device && { device }),
  weights: readFileSync(weightsFile),
  extra: true,
});
const { x, y } = readWeights(readFileSync(digitsFile));
const images = Float32Array.from(x.data, value => value / 255);

// One batch of any size: the same kernels serve all.
const { data: logits, shape } = await net.predict(images);
const [count, classes] = shape;
const predicted = Array.from({ length: count }, (_, i) => {
  const row = logits.subarray(i * classes, (i + 1) * classes);
  return row.indexOf(Math.max(...row));
});

const wrong = predicted.flatMap((digit, i) => (digit === y.data[i] ? [] : [i]));
const shown = [0, 1, 2, 3, ...wrong.slice(0, 1)];
const columns = texts =>
  console.log(
    texts
      .map(text => text.padEnd(20))
      .join('')
      .trimEnd(),
  );
columns(shown.map(i => `held-out digit ${i}`));
// The digits were 8×8 before they were enlarged.
for (let row = 0; row < 8; row++) columns(shown.map(i => draw(i, row)));
columns(shown.map(i => `predicted ${predicted[i]}, is ${y.data[i]}`));
const right = count - wrong.length;
console.log(`\n${right} of ${count} held-out digits are right (${((100 * right) / count).toFixed(1)} %)`);
net.dispose();
release();

/** A row of pixels, two characters each. */
function draw(image, row) {
  const shades = ' .:-=+*#%@';
  return Array.from({ length: 8 }, (_, column) => {
    const value = images[image * 784 + (3 * row + 3) * 28 + 3 * column + 3];
    return shades[Math.min(shades.length - 1, Math.floor(value * shades.length))].repeat(2);
  }).join('');
}
