// What every row's numbers are held against: a graph in f64, by definition, without anything of the compiler.
import { folded } from '../works/values.mjs';
import { convolution, convolutionGradient } from './convolution.mjs';
import * as layers from './layers.mjs';

const act = {
  relu: v => Math.max(v, 0),
  relu6: v => Math.min(Math.max(v, 0), 6),
};

/** The output for an input. */
export function infer(graph, params, input) {
  return forward(graph, params, input, false).at(-1).y;
}

/** The losses of the first `steps` training steps on one batch by SGD with momentum; `params` stay as they are. */
export function train(graph, params, input, labels, steps, { lr, momentum }) {
  const own = Object.fromEntries(
    Object.entries(params).map(([name, { data }]) => [name, { data: Float64Array.from(data) }]),
  );
  const velocity = Object.fromEntries(
    Object.entries(own).map(([name, { data }]) => [name, data.map(() => 0)]),
  );
  return Array.from({ length: steps }, (_, step) => {
    const values = forward(graph, own, input, true);
    const { loss, gradient } = layers.crossEntropy(values.at(-1).y, graph.output.shape, labels);
    if (step === steps - 1) return loss;
    for (const [name, d] of backward(graph, own, input, values, gradient)) {
      const { data } = own[name];
      for (let i = 0; i < data.length; i++) {
        velocity[name][i] = momentum * velocity[name][i] + d[i];
        data[i] -= lr * velocity[name][i];
      }
    }
    return loss;
  });
}

/** For each node its result `y` and what its gradient needs. */
function forward(graph, params, input, training) {
  const results = { x: { y: Float64Array.from(input) } };
  return graph.nodes.map(node => {
    const [x, other] = node.inputs.map(id => results[id].y);
    const shape = graph.shapeOf(node.inputs[0]);
    const [m, n] = node.shape;
    const { weight, bias } =
      training || !node.weight
        ? { weight: params[node.weight], bias: params[node.bias] }
        : folded(node, params);
    const result = {};
    let y;
    if (node.op === 'conv') y = convolution(node, x, shape, weight.data);
    else if (node.op === 'dense') y = layers.dense(x, weight.data, m, n, node.inner);
    else if (node.op === 'matmul') y = layers.matmul(x, weight.data, m, n, shape[1]);
    else if (node.op === 'max_pool') ({ y, saved: result.from } = layers.maxPool(node, x, shape));
    else if (node.op === 'add') y = x.map((v, i) => v + other[i]);
    else if (node.op === 'flatten') y = x;
    else {
      const size = shape[2] * shape[3];
      y = layers.biasGradient(x, [1, m * n, size]).map(s => s / size);
    }
    if (bias) layers.addBias(y, node.shape, bias.data);
    if (training && node.norm) {
      const { weight: gain, bias: shift, eps } = node.norm;
      const found = layers.batchNorm(y, node.shape, params[gain].data, params[shift].data, eps);
      ({ y, saved: result.norm } = found);
    }
    result.y = node.act ? y.map(act[node.act]) : y;
    results[node.id] = result;
    return result;
  });
}

/** Pairs of a parameter's name and its gradient. */
function backward(graph, params, input, values, gradient) {
  const found = [];
  const pending = new Map([[graph.output.id, gradient]]);
  const give = (id, d) => {
    const before = pending.get(id);
    pending.set(id, before ? before.map((v, i) => v + d[i]) : d);
  };
  for (let at = graph.nodes.length - 1; at >= 0; at--) {
    const node = graph.nodes[at];
    const { y, norm, from } = values[at];
    const [id] = node.inputs;
    const x = id === 'x' ? input : values[graph.nodes.findIndex(n => n.id === id)].y;
    const shape = graph.shapeOf(id);
    let dy = pending.get(node.id);
    if (node.act) dy = dy.map((d, i) => (y[i] > 0 && (node.act === 'relu' || y[i] < 6) ? d : 0));
    if (norm) {
      const { dx, dGain, dShift } = layers.batchNormGradient(
        norm,
        node.shape,
        params[node.norm.weight].data,
        dy,
      );
      found.push([node.norm.weight, dGain], [node.norm.bias, dShift]);
      dy = dx;
    }
    if (node.bias) found.push([node.bias, layers.biasGradient(dy, node.shape)]);
    const weight = params[node.weight]?.data;
    if (node.op === 'conv' || node.op === 'dense') {
      const { dx, dw } =
        node.op === 'conv'
          ? convolutionGradient(node, x, shape, weight, dy)
          : layers.denseGradient(x, weight, dy, ...node.shape, node.inner);
      found.push([node.weight, dw]);
      give(id, dx);
    } else if (node.op === 'max_pool') {
      const dx = new Float64Array(x.length);
      for (let i = 0; i < dy.length; i++) dx[from[i]] += dy[i];
      give(id, dx);
    } else if (node.op === 'global_avg_pool') {
      const size = x.length / dy.length;
      give(
        id,
        Float64Array.from(x, (_, i) => dy[Math.floor(i / size)] / size),
      );
    } else for (const input of node.inputs) give(input, dy);
  }
  return found;
}
