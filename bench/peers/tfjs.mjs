// TensorFlow.js: channels last, with its fused convolutions and products; batch norm as tfjs-layers computes it.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { folded } from '../works/values.mjs';

let tf;

export async function start({ backend, adapter }) {
  if (backend === 'webgpu') (await import('./gpu.mjs')).provide(adapter);
  const core = await import('@tensorflow/tfjs-core');
  tf = core.default?.setBackend ? core.default : core;
  // Registers the gradients.
  await import('@tensorflow/tfjs-layers');
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  else {
    const module = await import('@tensorflow/tfjs-backend-wasm');
    const { resolve } = createRequire(import.meta.url);
    const { setWasmPaths } = module.setWasmPaths ? module : module.default;
    setWasmPaths(dirname(resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
  await tf.ready();
  return {};
}

/** Axis i of the result is axis order[i] of the tensor. */
function permuted({ data, shape }, order) {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const to = order.map(i => shape[i]);
  const out = new Float32Array(data.length);
  const at = to.map(() => 0);
  for (let o = 0; o < out.length; o++) {
    out[o] = data[at.reduce((sum, v, i) => sum + v * strides[order[i]], 0)];
    for (let i = at.length - 1; i >= 0 && ++at[i] === to[i]; i--) at[i] = 0;
  }
  return { data: out, shape: to };
}

const channelsLast = t => (t.shape.length === 4 ? permuted(t, [0, 2, 3, 1]) : t);
const channelsFirst = t => (t.shape.length === 4 ? permuted(t, [0, 3, 1, 2]) : t);

/** The weights of a node in TensorFlow's layouts. `before` is the node that gives its input. */
function factors(node, before, params, training) {
  const { weight, bias } = training
    ? { weight: params[node.weight], bias: params[node.bias] }
    : folded(node, params);
  const norm = training && node.norm && { gain: params[node.norm.weight], shift: params[node.norm.bias] };
  const own = { ...(bias && { bias }), ...norm };
  if (node.op === 'matmul') return { ...own, weight };
  if (node.op === 'conv') {
    if (node.groups === 1) return { ...own, weight: permuted(weight, [2, 3, 1, 0]) };
    if (node.groups !== node.channels) throw new Error('has no grouped convolution');
    const shape = [node.channels, weight.shape[0] / node.channels, node.k, node.k];
    return { ...own, weight: permuted({ data: weight.data, shape }, [2, 3, 0, 1]) };
  }
  // Behind `flatten`, the rows of a dense weight have the order of the channels too.
  if (before?.op === 'flatten' && before.from.length === 3) {
    const [c, h, w] = before.from;
    const { data } = permuted({ data: weight.data, shape: [weight.shape[0], c, h, w] }, [2, 3, 1, 0]);
    return { ...own, weight: { data, shape: [node.inner, weight.shape[0]] } };
  }
  return { ...own, weight: permuted(weight, [1, 0]) };
}

function forward(graph, all, x) {
  const values = { x };
  for (const node of graph.nodes) {
    const [a, b] = node.inputs.map(id => values[id]);
    const { weight, bias, gain, shift } = all[node.id] ?? {};
    const activation = gain ? undefined : node.act;
    let y;
    if (node.op === 'conv') {
      const { stride: strides, pad, dilation: dilations } = node;
      const spec = { x: a, filter: weight, strides, pad, dilations, bias, activation };
      y = node.groups > 1 ? tf.fused.depthwiseConv2d(spec) : tf.fused.conv2d(spec);
    } else if (node.op === 'dense') y = tf.fused.matMul({ a, b: weight, bias, activation });
    else if (node.op === 'matmul') y = tf.matMul(a, weight);
    else if (node.op === 'max_pool') y = tf.maxPool(a, node.k, node.stride, node.pad);
    else if (node.op === 'flatten') y = tf.reshape(a, node.shape);
    else if (node.op === 'global_avg_pool') y = tf.mean(a, [1, 2]);
    else y = node.act ? tf[node.act](tf.add(a, b)) : tf.add(a, b);
    if (gain) {
      const { mean, variance } = tf.moments(y, [0, 1, 2]);
      y = tf.batchNorm(y, mean, variance, shift, gain, node.norm.eps);
      if (node.act) y = tf[node.act](y);
    }
    values[node.id] = y;
  }
  return values[graph.output.id];
}

export async function prepare(_, work, { params, input, labels }) {
  const graph = work.graph();
  const { training } = work;
  const x = channelsLast({ data: input, shape: graph.input });
  const all = {};
  for (const node of graph.nodes.filter(n => n.weight)) {
    const before = graph.nodes.find(n => n.id === node.inputs[0]);
    const made = Object.entries(factors(node, before, params, training)).map(([name, { data, shape }]) => {
      const t = tf.tensor(data, shape, 'float32');
      return [name, training ? tf.variable(t) : t];
    });
    all[node.id] = Object.fromEntries(made);
  }
  const entering = () => tf.tensor(x.data, x.shape, 'float32');
  if (!training) {
    let shape;
    return {
      async run() {
        const y = tf.tidy(() => forward(graph, all, entering()));
        ({ shape } = y);
        const data = await y.data();
        y.dispose();
        return data;
      },
      asFirst: data => channelsFirst({ data, shape }).data,
      dispose: () => tf.disposeVariables(),
    };
  }
  const optimiser = tf.train.momentum(training.lr, training.momentum);
  const variables = Object.values(all).flatMap(Object.values);
  return {
    async run() {
      const loss = tf.tidy(() => {
        const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), graph.output.shape[1]);
        const images = entering();
        const of = () => tf.losses.softmaxCrossEntropy(targets, forward(graph, all, images));
        return optimiser.minimize(of, true, variables);
      });
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    dispose: () => tf.disposeVariables(),
  };
}
