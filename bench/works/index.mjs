// What the bench times: where it is written in .dnn, the same as a graph, and what the aim is, in milliseconds.

import { Graph } from './graph.mjs';
import * as nets from './nets.mjs';
import { randomWork, randomWorks } from './random.mjs';

/** A net of ops.dnn: one node on `input`. */
const op = (name, net, doc, aim, input, build) => {
  const graph = () => {
    const g = new Graph(input);
    build(g);
    return g;
  };
  return { name, doc, file: 'ops.dnn', net, entry: net, program: 'predict', graph, aim };
};

const whole = (name, doc, file, net, graph, aim, more) => {
  return { name, doc, file, net, entry: net, program: 'predict', graph, aim, ...more };
};
const step = { entry: 'fit', program: 'step', training: { lr: 0.02, momentum: 0.9 } };
const act = 'relu';

export const named = [
  op('matmul', 'Matmul', '512 x 512 x 512', { wasm: 4.6, webgpu: 50 }, [512, 512], g =>
    g.matmul('weight', 'x', 512),
  ),
  op('conv3x3-64', 'Conv64', '3x3, 64 to 64 at 56', { wasm: 1.54, webgpu: 25 }, [1, 64, 56, 56], g =>
    g.conv('layer', 'x', 64, 3, { pad: 1, act }),
  ),
  op('conv3x3-256', 'Conv256', '3x3, 256 to 256 at 14', { wasm: 1.54, webgpu: 25 }, [1, 256, 14, 14], g =>
    g.conv('layer', 'x', 256, 3, { pad: 1, act }),
  ),
  op('conv1x1', 'Pointwise', '1x1, 256 to 64 at 56', {}, [1, 256, 56, 56], g =>
    g.conv('layer', 'x', 64, 1, { act }),
  ),
  op('depthwise', 'Depthwise', '3x3, 128 channels at 56', { wasm: 0.3, webgpu: 6 }, [1, 128, 56, 56], g =>
    g.conv('layer', 'x', 128, 3, { pad: 1, groups: 128, act }),
  ),
  whole('lenet', 'LeNet-5, batch 64', 'lenet.dnn', 'LeNet', () => nets.lenet(64), { wasm: 1.2, webgpu: 14 }),
  whole(
    'lenet-step',
    'LeNet-5, training step, batch 64',
    'lenet.dnn',
    'LeNet',
    () => nets.lenet(64),
    { wasm: 3.5, webgpu: 40 },
    step,
  ),
  whole(
    'resnet8-step',
    'ResNet-8, training step, batch 32, 32 x 32',
    'resnet8.dnn',
    'ResNet8',
    () => nets.resnet8(32),
    { wasm: 70, webgpu: 500 },
    step,
  ),
  whole('resnet18', 'ResNet-18, 224 x 224', 'resnet18.dnn', 'ResNet18', nets.resnet18, {
    wasm: 45,
    webgpu: 550,
  }),
  whole('mobilenetv2', 'MobileNetV2, 224 x 224', 'mobilenetv2.dnn', 'MobileNetV2', nets.mobilenetV2, {
    wasm: 18,
    webgpu: 180,
  }),
  // Compiled ahead, as an app has it: a fresh process for every time.
  whole(
    'first-lenet',
    'from import to the first result of LeNet-5, batch 64',
    'lenet.dnn',
    'LeNet',
    () => nets.lenet(64),
    { wasm: 100, webgpu: 500 },
    { fresh: true },
  ),
];

/** Tiny ones, for the test of the bench. */
const tiny = [
  op('tiny-matmul', 'Matmul', '', {}, [512, 512], g => g.matmul('weight', 'x', 512)),
  whole('tiny-lenet', '', 'lenet.dnn', 'LeNet', () => nets.lenet(2), {}),
  whole('tiny-step', '', 'lenet.dnn', 'LeNet', () => nets.lenet(2), {}, step),
];

/** Workers are told a name alone. */
export function workOf(name) {
  return [...named, ...tiny].find(w => w.name === name) ?? randomWork(name);
}

/** The works that a run times. */
export function select({ only, random, seed }) {
  if (random) return randomWorks(seed).filter(w => !only || w.kind === only || w.name === only);
  const works = only ? only.split(',').map(workOf) : named;
  return works;
}
