// Residual nets of growing depth, and what is compiled of each. The last has 1,000 convolutions besides the stem and
// the three of the skips.
export const nets = [
  { name: 'resnet18', layers: [2, 2, 2, 2], unit: 'Basic' },
  { name: 'resnet50', layers: [3, 4, 6, 3], unit: 'Bottleneck' },
  { name: 'resnet152', layers: [3, 8, 36, 3], unit: 'Bottleneck' },
  { name: 'resnet1000', layers: [125, 125, 125, 125], unit: 'Basic' },
];

export const programs = [
  { name: 'predict', compiled: 'Net' },
  { name: 'sgd', compiled: 'fit.step', optimiser: 'sgd(lr = 0.1, momentum = 0.9)' },
  { name: 'adam', compiled: 'fit.step', optimiser: 'adam' },
];

export function sourceOf({ layers, unit }, { optimiser }) {
  const net = `import { ResNet, ${unit} } from "./resnet.dnn"
net Net = ResNet([${layers}], unit = ${unit})
`;
  if (!optimiser) return net.replace(' = ResNet', '(x: f32[N, 3, 224, 224]) -> f32[N, 1000] = ResNet');
  return `${net}
train fit {
  data x: f32[N, 3, 224, 224]
  data y: i32[N]
  loss = cross_entropy(Net(x), y)
  minimize loss over Net by ${optimiser}
}`;
}
