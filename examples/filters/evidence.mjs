import { scene } from '../data/scene.mjs';
import { load, save, sheet } from '../scripts/kit.mjs';

const file = 'examples/filters/filters.dnn';

export const about = {
  title: 'Fixed filters, true convolution, Toeplitz matrices, receptive fields',
  command: `dnnc run ${file} --net Edges --inputs out/scene.safetensors --outputs out/edges.png`,
  seeds: 1,
};

export async function run({ out, dnnc }) {
  const net = async (name, inputs) => {
    const from = save(`${out}/${name}-in.safetensors`, inputs);
    const to = `${out}/${name}-out.safetensors`;
    await dnnc('run', file, '--net', name, '--inputs', from, '--outputs', to, '--target', 'interpret');
    return load(to);
  };
  const x = grey(scene(80, 96));
  const filtered = [];
  for (const name of ['Gaussian', 'HighPass', 'Edges']) filtered.push((await net(name, { x })).out);
  const picture = sheet(`${out}/filters.png`, [x, ...filtered.map(whole)].reduce(beside), { columns: 4 });

  const signal = { x: values([2, 9]), w: values([3]) };
  const image = { x: values([2, 5, 6]), w: values([3, 3]) };
  const [full1, full2] = [(await net('Full1', signal)).out, (await net('Full2', image)).out];
  const [matrix1, matrix2] = [(await net('Toeplitz1', signal)).y, (await net('Toeplitz2', image)).y];

  // A picture moved by 3 rows and 5 columns on a ring, before and after.
  const [ring, w] = [values([1, 1, 8, 12]), values([3, 3])];
  const [moved, still] = [
    (await net('Ring', { x: roll(ring, 3, 5), w })).out,
    (await net('Ring', { x: ring, w })).out,
  ];

  const { nets } = await dnnc('explain', file, '--layers');
  const sees = name => nets.find(n => n.name === name).layers.at(-1).field[0];
  const error = value => ({ value, reach: 1e-5, better: 'lower', digits: 7 });
  return {
    figures: {
      'full convolution in 1-D, error': error(apart(full1, convolved1(signal))),
      'full convolution in 2-D, error': error(apart(full2, convolved2(image))),
      'product with a Toeplitz matrix in 1-D, error': error(apart(matrix1, full1)),
      'product with a Toeplitz matrix in 2-D, error': error(apart(matrix2, full2)),
      'filtered then moved against moved then filtered': error(apart(moved, roll(still, 3, 5))),
      'receptive field of three 3x3': { value: sees('Three'), reach: 7, better: 'equal' },
      'receptive field of 3x3 with strides 2, 2, 1': { value: sees('Strided'), reach: 15, better: 'equal' },
    },
    pictures: [picture],
  };
}

function grey({ shape: [, , h, w], data }) {
  const plane = h * w;
  const mean = (_, i) => (data[i] + data[plane + i] + data[2 * plane + i]) / 3;
  return { dtype: 'f32', shape: [1, 1, h, w], data: Float32Array.from({ length: plane }, mean) };
}

/** From 0 to 1, whatever the values were. */
function whole({ shape, data }) {
  const [low, high] = [Math.min(...data), Math.max(...data)];
  return { dtype: 'f32', shape, data: data.map(v => (v - low) / (high - low)) };
}

const beside = (a, b) => ({
  ...a,
  shape: [a.shape[0] + b.shape[0], ...a.shape.slice(1)],
  data: Float32Array.from([...a.data, ...b.data]),
});

const count = shape => shape.reduce((a, b) => a * b, 1);

/** Numbers between -1 and 1 without a pattern. */
function values(shape) {
  return {
    dtype: 'f32',
    shape,
    data: Float32Array.from({ length: count(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) ** 1.5)),
  };
}

function roll({ shape, data }, rows, columns) {
  const [, , h, w] = shape;
  const moved = new Float32Array(data.length);
  for (let i = 0; i < h; i++)
    for (let j = 0; j < w; j++) moved[((i + rows) % h) * w + ((j + columns) % w)] = data[i * w + j];
  return { dtype: 'f32', shape, data: moved };
}

const apart = (a, b) => {
  const differences = Array.from(a.data, (v, i) => Math.abs(v - b.data[i]));
  return a.data.length === b.data.length ? Math.max(...differences) : Infinity;
};

/** By the definition: y[i + k] += x[i] w[k]. */
function convolved1({ x, w }) {
  const [n, length] = x.shape;
  const long = length + w.data.length - 1;
  const data = new Float64Array(n * long);
  for (let i = 0; i < n * length; i++)
    w.data.forEach((v, k) => {
      data[Math.floor(i / length) * long + (i % length) + k] += x.data[i] * v;
    });
  return { data };
}

function convolved2({ x, w }) {
  const [n, height, width] = x.shape;
  const [down, across] = w.shape;
  const [high, wide] = [height + down - 1, width + across - 1];
  const data = new Float64Array(n * high * wide);
  for (let i = 0; i < x.data.length; i++) {
    const [image, row, column] = [Math.floor(i / width / height), Math.floor(i / width) % height, i % width];
    w.data.forEach((v, k) => {
      const at = (image * high + row + Math.floor(k / across)) * wide + column + (k % across);
      data[at] += x.data[i] * v;
    });
  }
  return { data };
}
