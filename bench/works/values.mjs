// Seeded weights, inputs and labels: every process makes the same ones.
const hash = text => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** Numbers in 0 to 1 (mulberry32, Tommy Ettinger, public domain). */
export function generator(name) {
  let state = hash(name);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const fill = (name, shape, low, high) => {
  const next = generator(name);
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * next();
  return { data, shape };
};

/** Values by the parameter's name: weights so that variances stay about as they are, averages near 0 and variances near 1. */
export function paramsOf(graph) {
  const made = ({ name, shape }) => {
    if (/norm\.weight$|running_var$/.test(name)) return fill(name, shape, 0.7, 1.3);
    if (shape.length === 1) return fill(name, shape, -0.1, 0.1);
    const fan = shape.length === 4 ? shape[1] * shape[2] * shape[3] : shape[shape.length === 2 ? 1 : 0];
    const bound = Math.sqrt(6 / fan);
    return fill(name, shape, -bound, bound);
  };
  return Object.fromEntries(graph.params.map(p => [p.name, made(p)]));
}

export const inputOf = graph => fill('x', graph.input, -1.7, 1.7).data;

export function labelsOf(graph) {
  const next = generator('y');
  return Int32Array.from({ length: graph.input[0] }, () => Math.floor(next() * graph.output.shape[1]));
}

/**
 * For inference: the weight and the bias of a conv with its batch norm folded in, as exporters for the peers do it; of
 * other nodes as they are.
 */
export function folded(node, params) {
  const weight = params[node.weight];
  if (!node.norm) return { weight, bias: node.bias && params[node.bias] };
  const [gain, shift, mean, variance] = ['weight', 'bias', 'mean', 'variance'].map(
    part => params[node.norm[part]].data,
  );
  const c = weight.shape[0];
  const scale = Float64Array.from({ length: c }, (_, o) => gain[o] / Math.sqrt(variance[o] + node.norm.eps));
  const size = weight.data.length / c;
  return {
    weight: {
      data: weight.data.map((v, i) => v * scale[Math.floor(i / size)]),
      shape: weight.shape,
    },
    bias: { data: Float32Array.from({ length: c }, (_, o) => shift[o] - mean[o] * scale[o]), shape: [c] },
  };
}
