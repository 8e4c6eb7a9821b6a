// What the bench times: a name, a .dnn text, the program to run, and its inputs.
const random = n => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) * 0.5);

const one = (name, doc, net, inputs) => ({
  name,
  doc,
  source: net,
  entry: 'Net',
  program: 'predict',
  inputs,
});

const conv = (c, o, h, k, pad, extra = '') =>
  `net Net(x: f32[1, ${c}, ${h}, ${h}]) -> f32[1, ${o}, ${h}, ${h}] { return x -> conv: conv(${o}, ${k}, pad = ${pad}${extra}) -> relu }`;

export const works = [
  one(
    'matmul-512',
    '512 x 512 x 512, f32',
    'net Net(a: f32[512, 512], b: f32[512, 512]) -> f32[512, 512] { return a @ b }',
    () => ({ a: random(512 * 512), b: random(512 * 512) }),
  ),
  one('conv3x3-64-56', '3x3, 64 to 64 channels at 56 x 56, bias, relu', conv(64, 64, 56, 3, 1), () => ({
    x: random(64 * 56 * 56),
  })),
  one('conv3x3-256-14', '3x3, 256 to 256 channels at 14 x 14, bias, relu', conv(256, 256, 14, 3, 1), () => ({
    x: random(256 * 14 * 14),
  })),
  one('conv1x1-256-56', '1x1, 256 to 64 channels at 56 x 56, bias, relu', conv(256, 64, 56, 1, 0), () => ({
    x: random(256 * 56 * 56),
  })),
  one(
    'depthwise-128-56',
    '3x3 depthwise, 128 channels at 56 x 56',
    conv(128, 128, 56, 3, 1, ', groups = 128'),
    () => ({
      x: random(128 * 56 * 56),
    }),
  ),
  {
    name: 'lenet-predict',
    doc: 'LeNet-5 inference, batch 64',
    file: 'examples/lenet/lenet.dnn',
    entry: 'LeNet',
    program: 'predict',
    inputs: () => ({ x: random(64 * 784) }),
  },
  {
    name: 'lenet-step',
    doc: 'LeNet-5 training step, batch 64',
    file: 'examples/lenet/lenet.dnn',
    entry: 'mnist',
    program: 'step',
    inputs: () => ({
      x: Uint8Array.from({ length: 64 * 784 }, (_, i) => (i * 7919) % 256),
      y: Int32Array.from({ length: 64 }, (_, i) => i % 10),
    }),
    scalars: { epoch: 0, iter: 0, step: 0 },
  },
];
