import { expect, test } from 'vitest';
import { example, run, show, variables } from './helpers.ts';

test.each(['lenet', 'mlp', 'convnet'])('%s elaborates without diagnostics', name => {
  const { module, diagnostics } = run(example(`${name}/${name}.dnn`), {}, `${name}.dnn`);
  expect(diagnostics.map(show)).toEqual([]);
  expect(module?.nets.length).toBe(1);
  expect(module?.trains.length).toBe(1);
});

test('LeNet has the parameters that a reader expects', () => {
  const { module } = run(example('lenet/lenet.dnn'));
  expect(variables(module!.nets[0]!.predict)).toEqual([
    'LeNet.conv.weight',
    'LeNet.conv.bias',
    'LeNet.conv_2.weight',
    'LeNet.conv_2.bias',
    'LeNet.dense.weight',
    'LeNet.dense.bias',
    'LeNet.dense_2.weight',
    'LeNet.dense_2.bias',
    'LeNet.head.weight',
    'LeNet.head.bias',
  ]);
});
