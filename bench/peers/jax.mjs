// jax-js: all of the net, or all of the training step, under one jit.
import { folded } from '../works/values.mjs';

let jax;

export async function start({ backend, adapter }) {
  if (backend === 'webgpu') (await import('./gpu.mjs')).provide(adapter);
  jax = await import('@jax-js/jax');
  if (!(await jax.init(backend)).includes(backend)) throw new Error(`the backend ${backend} does not start`);
  jax.defaultDevice(backend);
  return {};
}

/** Arrays are consumed by what reads them; `ref` is one more reader. */
function forward(graph, all, x) {
  const { numpy: np, lax, nn } = jax;
  const values = { x };
  const readers = {};
  for (const id of graph.nodes.flatMap(n => n.inputs)) readers[id] = (readers[id] ?? 0) + 1;
  const take = id => (--readers[id] > 0 ? values[id].ref : values[id]);
  for (const node of graph.nodes) {
    const [a, b] = node.inputs.map(take);
    const own = part => all[`${node.id}.${part}`];
    const spread = v => (node.shape.length === 4 ? v.reshape([1, node.shape[1], 1, 1]) : v);
    let y;
    if (node.op === 'conv') {
      const { stride, pad, dilation, groups } = node;
      y = lax.convGeneralDilated(
        a,
        own('weight'),
        [stride, stride],
        [
          [pad, pad],
          [pad, pad],
        ],
        { featureGroupCount: groups, rhsDilation: [dilation, dilation] },
      );
    } else if (node.op === 'dense') y = np.matmul(a, own('weight').transpose());
    else if (node.op === 'matmul') y = np.matmul(a, own('weight'));
    else if (node.op === 'max_pool') {
      const { k, stride, pad } = node;
      const sides = [pad, pad];
      // Every max pool here stands behind a relu, so 0 may pad.
      const padded = pad > 0 ? np.pad(a, [[0, 0], [0, 0], sides, sides]) : a;
      y = lax.reduceWindow(padded, np.max, [k, k], [stride, stride]);
    } else if (node.op === 'global_avg_pool') y = np.mean(a, [2, 3]);
    else if (node.op === 'flatten') y = a.reshape(node.shape);
    else y = a.add(b);
    if (own('bias')) y = y.add(spread(own('bias')));
    if (own('gain')) {
      const centred = y.sub(np.mean(y.ref, [0, 2, 3], { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      const scale = np.reciprocal(np.sqrt(variance.add(node.norm.eps))).mul(spread(own('gain')));
      y = centred.mul(scale).add(spread(own('shift')));
    }
    if (node.act) y = nn[node.act](y);
    values[node.id] = y;
  }
  return values[graph.output.id];
}

export async function prepare(_, work, { params, input, labels }) {
  const { numpy: np, nn, jit, valueAndGrad, tree } = jax;
  const graph = work.graph();
  const { training } = work;
  const array = ({ data, shape }) => np.array(data, { shape });
  const given = graph.nodes
    .filter(n => n.weight)
    .flatMap(node => {
      const { weight, bias } = training
        ? { weight: params[node.weight], bias: params[node.bias] }
        : folded(node, params);
      const norm = training && node.norm && { gain: params[node.norm.weight], shift: params[node.norm.bias] };
      return Object.entries({ weight, ...(bias && { bias }), ...norm }).map(([part, t]) => [
        `${node.id}.${part}`,
        t,
      ]);
    });
  const made = make => Object.fromEntries(given.map(([name, t]) => [name, make(t)]));
  const entering = () => array({ data: input, shape: graph.input });
  let all = made(array);
  const release = () => {};
  if (!training) {
    const net = jit((p, x) => forward(graph, p, x));
    return { run: () => net(tree.ref(all), entering()).data(), dispose: release };
  }
  let velocity = made(t => np.zeros(t.shape));
  const [batch] = graph.input;
  const { lr, momentum } = training;
  const lossOf = (p, x, y) =>
    nn
      .logSoftmax(forward(graph, p, x), -1)
      .mul(nn.oneHot(y, graph.output.shape[1]))
      .sum()
      .mul(-1 / batch);
  const step = jit((p, m, x, y) => {
    const [loss, gradient] = valueAndGrad(lossOf)(tree.ref(p), x, y);
    const next = tree.map((v, g) => v.mul(momentum).add(g), m, gradient);
    return [loss, tree.map((v, d) => v.sub(d.mul(lr)), p, tree.ref(next)), next];
  });
  return {
    async run() {
      const y = np.array(labels, { shape: [batch], dtype: np.int32 });
      const [loss, p, m] = step(all, velocity, entering(), y);
      [all, velocity] = [p, m];
      const [value] = await loss.data();
      // The update is part of the step.
      await jax.blockUntilReady(all);
      return value;
    },
    dispose: release,
  };
}
