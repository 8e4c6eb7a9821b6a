import { asFloats, digits, load, save, sheet, writeSplit } from '../scripts/kit.mjs';

const file = 'examples/visualise/visualise.dnn';

export const about = {
  title:
    'Digits and the pixels that matter (saliency); LeNet’s first filters; pictures that it takes for 0 to 9 (feature visualisation)',
  command:
    'dnnc train visualise/visualise.dnn imagine --data start.safetensors --weights runs/lenet/weights.safetensors --batch 10 --steps 300 --out runs/imagine',
};

export async function run({ smoke, seed, out, dnnc }) {
  const { train } = writeSplit(out, { examples: smoke ? 700 : 1437 });
  await dnnc(
    ...['train', 'examples/lenet/lenet.dnn', 'mnist', '--data', train],
    ...['--epochs', smoke ? 4 : 15, '--seed', seed, '--out', `${out}/lenet`],
  );
  const weights = `${out}/lenet/weights.safetensors`;

  const { x, y } = digits({ first: 1437, examples: 100 });
  const images = asFloats(x);
  save(`${out}/x.safetensors`, { x: images });
  await dnnc(
    ...['run', file, '--net', 'Saliency', '--weights', weights],
    ...['--inputs', `${out}/x.safetensors`, '--outputs', `${out}/map.safetensors`],
  );
  const { map } = load(`${out}/map.safetensors`);

  const blank = { dtype: 'f32', shape: [10, 1, 28, 28], data: new Float32Array(7840).fill(0.3) };
  const classes = { dtype: 'i32', shape: [10], data: Int32Array.from({ length: 10 }, (_, i) => i) };
  const start = save(`${out}/start.safetensors`, { start: blank, class: classes });
  const { metrics } = await dnnc(
    ...['train', file, 'imagine', '--data', start, '--weights', weights, '--batch', 10],
    ...['--steps', smoke ? 60 : 300, '--no-shuffle', '--seed', seed, '--out', `${out}/imagine`],
  );
  const dreams = load(`${out}/imagine/weights.safetensors`)['imagine.image'];

  const first = value => ({ ...value, shape: [8, 1, 28, 28], data: value.data.slice(0, 8 * 784) });
  const clamped = { ...dreams, data: dreams.data.map(v => Math.max(0, Math.min(1, v))) };
  const filters = load(weights)['LeNet.conv.weight'];
  const pair = onStrokes(images, map, y);
  return {
    figures: {
      'saliency near strokes, times that elsewhere': {
        value: pair,
        reach: smoke ? 1.05 : 1.1,
        better: 'higher',
        digits: 2,
      },
      'how sure LeNet is of the pictures that it imagines': {
        value: 100 * metrics.sure,
        reach: smoke ? 50 : 90,
        better: 'higher',
        unit: '%',
      },
    },
    pictures: [
      sheet(`${out}/saliency.png`, [first(images), scaled(first(map)), first(clamped)], {
        columns: 10,
        range: [0, 1],
      }),
      sheet(`${out}/filters.png`, filters, { columns: 6, scale: 8 }),
    ],
  };
}

/** Every picture from 0 to 1. */
function scaled({ dtype, shape, data }) {
  const size = data.length / shape[0];
  return {
    dtype,
    shape,
    data: data.map((v, i) => {
      const from = Math.floor(i / size) * size;
      return v / Math.max(...data.subarray(from, from + size));
    }),
  };
}

/** The mean saliency of pixels with ink in them or beside them, as a multiple of that of all others. */
function onStrokes({ shape: [n], data: ink }, { data: map }) {
  const sums = [
    [0, 0],
    [0, 0],
  ];
  const inked = (image, i, j) => i >= 0 && j >= 0 && i < 28 && j < 28 && ink[image * 784 + i * 28 + j] > 0.3;
  for (let at = 0; at < n * 784; at++) {
    const [image, i, j] = [Math.floor(at / 784), Math.floor(at / 28) % 28, at % 28];
    const near = [-2, 0, 2].some(di => [-2, 0, 2].some(dj => inked(image, i + di, j + dj)));
    sums[near ? 1 : 0][0] += map[at];
    sums[near ? 1 : 0][1]++;
  }
  const [[off, offCount], [on, onCount]] = sums;
  return on / onCount / (off / offCount);
}
