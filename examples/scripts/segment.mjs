// What the evidence of SegNet, FCN and U-Net has in common: training on shapes, and what comes out for unseen ones.
import { classOfPixels, pixelIou } from 'dnnc/vision';
import { masks } from '../data/shapes.mjs';
import { calm } from './calm.mjs';
import { load, save, sheet } from './kit.mjs';

const classes = 4;
const colours = [
  [0.1, 0.1, 0.1],
  [0.9, 0.3, 0.2],
  [0.2, 0.7, 0.3],
  [0.3, 0.5, 1],
];

/** Pictures x [n, 3, size, size] and the class y [n, size, size] of each pixel. */
export function shapes({ seed, count, size }) {
  const all = [...masks({ seed, count, size, most: 2, smallest: size / 3, largest: (5 * size) / 8 })];
  const joined = (type, name, width) => {
    const data = new type(count * width);
    all.forEach((example, i) => {
      data.set(example[name], i * width);
    });
    return data;
  };
  const plane = size * size;
  return {
    x: { dtype: 'f32', shape: [count, 3, size, size], data: joined(Float32Array, 'x', 3 * plane) },
    y: { dtype: 'i32', shape: [count, size, size], data: joined(Int32Array, 'y', plane) },
  };
}

/**
 * Trains `program` of a file, and gives what its `net` then says of the classes of pixels of `test`, with the mean
 * intersection over union. `define` are flags, such as `-D Width=4`.
 */
export async function segmentation({
  dnnc,
  file,
  program,
  net,
  define,
  train,
  test,
  epochs,
  batch,
  seed,
  out,
}) {
  const data = save(`${out}/train.safetensors`, train);
  const inputs = save(`${out}/x.safetensors`, { x: test.x });
  const [folder, outputs] = [`${out}/${program}`, `${out}/${program}.safetensors`];
  await dnnc(
    ...['train', file, program, ...define, '--data', data, '--epochs', epochs, '--batch', batch],
    ...['--seed', seed, '--out', folder],
  );
  await dnnc(
    ...['run', file, '--net', net, ...define, '--weights', `${folder}/weights.safetensors`],
    ...['--inputs', inputs, '--outputs', outputs],
  );
  const said = classOfPixels(Object.values(load(outputs))[0]);
  return { said, iou: pixelIou(said.data, test.y.data, classes).mean };
}

/** Pictures, their true classes, and what nets say, each in a row. */
export function drawMasks(path, { x }, masks, count = 6) {
  const [, channels, height, width] = x.shape;
  const plane = height * width;
  const picture = { dtype: 'f32', shape: [count, channels, height, width] };
  const shown = { ...picture, data: new Float32Array(count * channels * plane) };
  for (let i = 0; i < count; i++) {
    const from = i * channels * plane;
    shown.data.set(calm(x.data.subarray(from, from + channels * plane), width), from);
  }
  const rows = masks.map(({ data }) => ({
    ...picture,
    data: Float32Array.from({ length: count * channels * plane }, (_, i) => {
      const [image, channel] = [Math.floor(i / channels / plane), Math.floor(i / plane) % channels];
      return colours[data[image * plane + (i % plane)]][channel];
    }),
  }));
  return sheet(path, [shown, ...rows], { columns: count, scale: 2, range: [0, 1] });
}
