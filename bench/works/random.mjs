// Layers of random shapes, ten a class: what was not tuned for by name.
import { Graph } from './graph.mjs';
import { generator } from './values.mjs';

/** An integer from low to high, all magnitudes alike. */
const integer = (next, low, high) =>
  Math.min(high, Math.floor(low * Math.exp(next() * Math.log((high + 1) / low))));
const pick = (next, list) => list[Math.floor(next() * list.length)];

/** Sizes of a convolution. Channels are often multiples of 8, as they are in nets. */
function convolution(next, attrs) {
  const channels = () => (next() < 0.7 ? 8 * integer(next, 1, 40) : integer(next, 1, 320));
  return { n: integer(next, 1, 8), c: channels(), o: channels(), h: integer(next, 7, 112), ...attrs };
}

const classes = {
  matmul: next => ({ m: integer(next, 1, 768), k: integer(next, 8, 1024), n: integer(next, 8, 1024) }),
  conv3x3: next => convolution(next, { k: 3, pad: 1 }),
  conv1x1: next => convolution(next, { k: 1, pad: 0 }),
  depthwise: next => {
    const { n, c, h } = convolution(next);
    const k = pick(next, [3, 3, 5, 7]);
    return { n, c, o: c, h, k, pad: k >> 1, groups: c, stride: pick(next, [1, 1, 2]) };
  },
  // Strides, dilations and groups.
  conv: next => {
    const sizes = convolution(next);
    const k = pick(next, [2, 3, 4, 5, 7]);
    const groups = pick(next, [1, 1, 2, 4, 8]);
    const whole = c => Math.ceil(c / groups) * groups;
    const stride = pick(next, [1, 2, 2, 3]);
    // tfjs has no dilation together with strides.
    const dilation = stride === 1 ? pick(next, [1, 2, 2, 3]) : 1;
    const pad = Math.floor(next() * (((k - 1) * dilation) / 2 + 1));
    return { ...sizes, c: whole(sizes.c), o: whole(sizes.o), k, pad, stride, dilation, groups };
  },
};

const least = 2e5;
const most = 2e8;

/** As long as a run is neither next to nothing nor long. */
function draw(kind, next) {
  for (;;) {
    const shape = classes[kind](next);
    const graph = graphOf(kind, shape);
    const smallest = Math.min(...graph.output.shape);
    if (smallest >= 1 && graph.macs >= least && graph.macs <= most) return shape;
  }
}

function graphOf(kind, shape) {
  if (kind === 'matmul') {
    const g = new Graph([shape.m, shape.k]);
    g.matmul('weight', 'x', shape.n);
    return g;
  }
  const { n, c, o, h, k, pad, stride = 1, dilation = 1, groups = 1 } = shape;
  const g = new Graph([n, c, h, h]);
  g.conv('layer', 'x', o, k, { pad, stride, dilation, groups, act: 'relu' });
  return g;
}

function sourceOf(kind, shape, graph) {
  const head = `net Net(x: f32[${graph.input.join(', ')}]) -> f32[${graph.output.shape.join(', ')}]`;
  if (kind === 'matmul')
    return `${head} { param weight: f32[${shape.k}, ${shape.n}] = uniform(-0.1, 0.1) return x @ weight }`;
  const { o, k, pad, stride = 1, dilation = 1, groups = 1 } = shape;
  const layer = `conv(${o}, ${k}, stride = ${stride}, pad = ${pad}, dilation = ${dilation}, groups = ${groups})`;
  return `${head} { return x -> layer: ${layer} -> relu }`;
}

function docOf(kind, shape) {
  if (kind === 'matmul') return `${shape.m} x ${shape.k} x ${shape.n}`;
  const { n, c, o, h, k, stride = 1, dilation = 1, groups = 1 } = shape;
  const more = [
    kind !== 'depthwise' && groups > 1 && `${groups} groups`,
    stride > 1 && `stride ${stride}`,
    dilation > 1 && `dilation ${dilation}`,
  ].filter(Boolean);
  return [`${k}x${k}, ${c} to ${o} at ${h}, batch ${n}`, ...more].join(', ');
}

/** `random:KIND:INDEX:SEED` names a shape for good. */
export function randomWork(name) {
  const [word, kind, index, seed] = name.split(':');
  if (word !== 'random' || !classes[kind]) throw new Error(`no work ${name}`);
  const shape = draw(kind, generator(`${kind} ${index} ${seed}`));
  const graph = graphOf(kind, shape);
  return {
    name,
    kind,
    doc: docOf(kind, shape),
    source: sourceOf(kind, shape, graph),
    net: 'Net',
    entry: 'Net',
    program: 'predict',
    graph: () => graph,
    aim: {},
  };
}

export const randomWorks = seed =>
  Object.keys(classes).flatMap(kind =>
    Array.from({ length: 10 }, (_, i) => randomWork(`random:${kind}:${i}:${seed}`)),
  );
