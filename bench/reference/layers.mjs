// What stands between convolutions, by its definition, in f64; the gradients too.

/** [m, k] times [n, k] transposed. */
export function dense(x, weight, m, n, k) {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[i * k + l] * weight[j * k + l];
      y[i * n + j] = sum;
    }
  return y;
}

export function denseGradient(x, weight, dy, m, n, k) {
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(weight.length);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const d = dy[i * n + j];
      for (let l = 0; l < k; l++) {
        dx[i * k + l] += d * weight[j * k + l];
        dw[j * k + l] += d * x[i * k + l];
      }
    }
  return { dx, dw };
}

export function matmul(x, weight, m, n, k) {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) y[i * n + j] += x[i * k + l] * weight[l * n + j];
  return y;
}

/** The channel of each element: of [N, C, …] the second axis. */
const channels = ([, c, ...rest]) => {
  const size = rest.reduce((a, b) => a * b, 1);
  return { c, of: i => Math.floor(i / size) % c };
};

export function addBias(y, shape, bias) {
  const { of } = channels(shape);
  for (let i = 0; i < y.length; i++) y[i] += bias[of(i)];
}

export function biasGradient(dy, shape) {
  const { c, of } = channels(shape);
  const sums = new Float64Array(c);
  for (let i = 0; i < dy.length; i++) sums[of(i)] += dy[i];
  return sums;
}

/** Of the whole batch; `saved` is what the gradient needs. */
export function batchNorm(y, shape, gain, shift, eps) {
  const { c, of } = channels(shape);
  const n = y.length / c;
  const mean = biasGradient(y, shape).map(s => s / n);
  const variance = new Float64Array(c);
  for (let i = 0; i < y.length; i++) variance[of(i)] += (y[i] - mean[of(i)]) ** 2 / n;
  const scale = variance.map(v => 1 / Math.sqrt(v + eps));
  const normal = y.map((v, i) => (v - mean[of(i)]) * scale[of(i)]);
  return { y: normal.map((v, i) => v * gain[of(i)] + shift[of(i)]), saved: { normal, scale } };
}

export function batchNormGradient({ normal, scale }, shape, gain, dy) {
  const { c, of } = channels(shape);
  const n = dy.length / c;
  const dShift = biasGradient(dy, shape);
  const dGain = biasGradient(
    dy.map((d, i) => d * normal[i]),
    shape,
  );
  const dx = dy.map((d, i) => {
    const at = of(i);
    return gain[at] * scale[at] * (d - dShift[at] / n - (normal[i] * dGain[at]) / n);
  });
  return { dx, dGain, dShift };
}

/** The largest of each window, and where it lies; the first of equal ones. */
export function maxPool({ k, stride, pad, shape }, x, [, , height, width]) {
  const [n, c, rows, columns] = shape;
  const y = new Float64Array(n * c * rows * columns).fill(-Infinity);
  const from = new Int32Array(y.length);
  let at = 0;
  for (let image = 0; image < n * c; image++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++, at++)
        for (let p = 0; p < k; p++)
          for (let q = 0; q < k; q++) {
            const h = i * stride - pad + p;
            const w = j * stride - pad + q;
            const index = (image * height + h) * width + w;
            if (h < 0 || h >= height || w < 0 || w >= width || !(x[index] > y[at])) continue;
            y[at] = x[index];
            from[at] = index;
          }
  return { y, saved: from };
}

/** The mean of cross entropy over the batch, and its gradient. */
export function crossEntropy(logits, [n, classes], labels) {
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const top = Math.max(...row);
    const sum = row.reduce((s, v) => s + Math.exp(v - top), 0);
    loss += (top + Math.log(sum) - row[labels[i]]) / n;
    for (let j = 0; j < classes; j++)
      gradient[i * classes + j] = (Math.exp(row[j] - top) / sum - (j === labels[i] ? 1 : 0)) / n;
  }
  return { loss, gradient };
}
