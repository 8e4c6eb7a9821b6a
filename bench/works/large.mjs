// Works for a real GPU: what they take and how they are checked.
import { distance } from '../measure.mjs';
import { infer } from '../reference/index.mjs';
import { lenet, resnet18 } from './nets.mjs';
import { generator, inputOf, paramsOf } from './values.mjs';

/** Consts of nets/large.dnn; tests have smaller ones. */
export const largeSizes = { Side: 4096, Batch: 128, Size: 56, Image: 224 };

/** Multiples of 1/64 in -1 to 1, which f16 has, so that all rows multiply the same numbers. */
function exact(name, length, scale = 1) {
  const next = generator(name);
  return Float32Array.from({ length }, () => (Math.round((2 * next() - 1) * 64) / 64) * scale);
}

/** As the bits of f16. Exact for the numbers above. */
function halves(values) {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, w => {
    const exponent = ((w >>> 23) & 255) - 112;
    return exponent <= 0 ? 0 : ((w >>> 16) & 0x8000) | (exponent << 10) | ((w >>> 13) & 0x3ff);
  });
}

/** The largest error of some elements, over the largest of them. */
function sampled(values, wanted) {
  const count = 251;
  let [most, largest] = [0, 0];
  for (let s = 0; s < count; s++) {
    const i = Math.floor(((s + 0.5) * values.length) / count);
    const w = wanted(i);
    const gap = Math.abs(values[i] - w);
    if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, gap);
    largest = Math.max(largest, Math.abs(w));
  }
  return most / largest;
}

function product({ Side }, half) {
  const [a, b] = ['a', 'b'].map(name => exact(name, Side * Side));
  const given = data => ({ data: half ? halves(data) : data, shape: [Side, Side] });
  const error = values =>
    sampled(values, i => {
      const [row, column] = [Math.floor(i / Side), i % Side];
      let sum = 0;
      for (let k = 0; k < Side; k++) sum += a[row * Side + k] * b[k * Side + column];
      return sum;
    });
  return { inputs: { a: given(a), b: given(b) }, error };
}

const channels = 64;

function convolution({ Batch, Size }, half, net) {
  const x = exact('x', Batch * channels * Size ** 2);
  const weight = exact('weight', channels ** 2 * 9, 1 / 16);
  const bias = exact('bias', channels);
  const at = (n, c, y, z) =>
    y < 0 || y >= Size || z < 0 || z >= Size ? 0 : x[((n * channels + c) * Size + y) * Size + z];
  const error = values =>
    sampled(values, i => {
      const [column, row] = [i % Size, Math.floor(i / Size) % Size];
      const [o, n] = [Math.floor(i / Size ** 2) % channels, Math.floor(i / Size ** 2 / channels)];
      let sum = bias[o];
      for (let c = 0; c < channels; c++)
        for (let k = 0; k < 9; k++)
          sum +=
            weight[(o * channels + c) * 9 + k] * at(n, c, row + Math.floor(k / 3) - 1, column + (k % 3) - 1);
      return sum;
    });
  return {
    inputs: { x: { data: half ? halves(x) : x, shape: [Batch, channels, Size, Size] } },
    weights: {
      [`${net}.layer.weight`]: { dtype: 'f32', shape: [channels, channels, 3, 3], data: weight },
      [`${net}.layer.bias`]: { dtype: 'f32', shape: [channels], data: bias },
    },
    error,
  };
}

function pictures({ Batch, Image }) {
  const [next, labels] = [generator('x'), generator('y')];
  const x = Float32Array.from({ length: Batch * 3 * Image ** 2 }, () => 3.4 * next() - 1.7);
  const y = Int32Array.from({ length: Batch }, () => Math.floor(1000 * labels()));
  return { inputs: { x: { data: x, shape: [Batch, 3, Image, Image] }, y } };
}

/** A small net for one picture: how long it takes is what all around its kernels takes. */
function small() {
  const graph = lenet(1);
  const [params, input] = [paramsOf(graph), inputOf(graph)];
  return {
    inputs: { x: { data: input, shape: graph.input } },
    weights: Object.fromEntries(
      Object.entries(params).map(([name, p]) => [`LeNet.${name}`, { dtype: 'f32', ...p }]),
    ),
    error: values => distance(values, infer(graph, params, input)),
  };
}

/**
 * `unit`: the peak that a row is held against. `values` gives what goes in, and where it can be found by definition, the
 * error of what comes out; else the results must be those of the row `like`. `matrices`: it is measured on them alone.
 */
export function largeWorks(sizes = largeSizes) {
  const predict = (name, doc, unit, entry, flops, tolerance, values, more) => {
    const file = 'large.dnn';
    const own = { name, doc, unit, file, entry, program: 'predict', flops, tolerance, values };
    return { ...own, ...more, how: { defines: sizes, ...more?.how } };
  };
  const step = (name, doc, unit, more) => ({
    ...{ name, doc, unit, file: 'large.dnn', entry: 'resnet18', program: 'step', training: true },
    // Forward, and backward twice that.
    flops: 3 * 2 * sizes.Batch * resnet18().macs,
    values: () => pictures(sizes),
    ...more,
    how: { defines: sizes, ...more?.how },
  });
  const cubed = 2 * sizes.Side ** 3;
  const conv = 2 * sizes.Batch * sizes.Size ** 2 * channels ** 2 * 9;
  const split = { how: { splitProducts: true }, matrices: true };
  const half = { how: { precision: 'f16' }, matrices: true };
  const factors = isHalf => () => product(sizes, isHalf);
  return [
    predict('matmul-4096', '4096³ in f32', 'f32', 'Product', cubed, 1e-4, factors(false)),
    predict(
      'matmul-4096-split',
      'factors in two halves',
      'f32',
      'Product',
      cubed,
      1e-4,
      factors(false),
      split,
    ),
    predict('matmul-4096-f16', 'factors in f16', 'f16', 'HalfProduct', cubed, 1e-4, factors(true), {
      matrices: true,
    }),
    predict('conv3x3-b128', '3x3, 64 to 64 at 56, batch 128', 'f32', 'Conv', conv, 1e-4, () =>
      convolution(sizes, false, 'Conv'),
    ),
    predict(
      ...['conv3x3-b128-f16', 'the same in f16', 'f16', 'HalfConv', conv, 1e-3],
      () => convolution(sizes, true, 'HalfConv'),
      half,
    ),
    {
      ...predict('lenet-b1', 'LeNet-5, one picture', 'f32', 'LeNet', 2 * lenet(1).macs, 1e-4, small),
      ...{ file: 'lenet.dnn', how: {} },
    },
    step('resnet18-step-b128', 'ResNet-18, training step, batch 128, 224 x 224', 'f32'),
    step('resnet18-step-b128-f16', 'the same with --precision f16', 'f16', {
      ...half,
      like: 'resnet18-step-b128',
      tolerance: 2e-2,
    }),
  ];
}
