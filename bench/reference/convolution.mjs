// Convolution and its two adjoints by their definition, in f64.

/** Calls `row` for every piece of a row of the result that one weight takes part in. */
function eachRow(node, [batch, , height, width], row) {
  const { k, stride, pad, dilation, groups, channels, shape } = node;
  const [, out, rows, columns] = shape;
  const inner = channels / groups;
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < out; o++) {
      const group = Math.floor(o / (out / groups));
      for (let c = 0; c < inner; c++)
        for (let p = 0; p < k; p++)
          for (let q = 0; q < k; q++) {
            const weight = ((o * inner + c) * k + p) * k + q;
            const shift = q * dilation - pad;
            const from = Math.max(0, Math.ceil(-shift / stride));
            const to = Math.min(columns, Math.floor((width - 1 - shift) / stride) + 1);
            for (let i = 0; i < rows; i++) {
              const h = i * stride - pad + p * dilation;
              if (h < 0 || h >= height) continue;
              const x = ((n * channels + group * inner + c) * height + h) * width + shift;
              row(x, ((n * out + o) * rows + i) * columns, weight, from, to);
            }
          }
    }
}

export function convolution(node, x, shape, weight) {
  const y = new Float64Array(node.shape.reduce((a, b) => a * b, 1));
  const { stride } = node;
  eachRow(node, shape, (at, out, w, from, to) => {
    const factor = weight[w];
    for (let j = from; j < to; j++) y[out + j] += factor * x[at + j * stride];
  });
  return y;
}

export function convolutionGradient(node, x, shape, weight, dy) {
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(weight.length);
  const { stride } = node;
  eachRow(node, shape, (at, out, w, from, to) => {
    const factor = weight[w];
    let sum = 0;
    for (let j = from; j < to; j++) {
      sum += x[at + j * stride] * dy[out + j];
      dx[at + j * stride] += factor * dy[out + j];
    }
    dw[w] += sum;
  });
  return { dx, dw };
}
