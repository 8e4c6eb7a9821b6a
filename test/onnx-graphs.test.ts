import { expect, test } from 'vitest';
import { gpuTarget } from '../src/ir/target.ts';
import { checkCase } from './onnx/check.ts';
import { type Step, translateSteps } from './onnx/graphs.ts';
import type { Tensor } from './onnx/tensor.ts';
import { graphBackend, kernelBackend } from './torch/run.ts';

const float = (shape: readonly number[], data: readonly number[]): Tensor => ({
  element: 'float',
  shape,
  data,
});
const ints = (...data: number[]): Tensor => ({ element: 'int64', shape: [data.length], data });
const backends = [graphBackend, kernelBackend(gpuTarget)];

test('sizes that are computed from sizes are known when the text is written', async () => {
  const x = float([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const steps: Step[] = [
    ['Shape', ['x'], 'sizes'],
    ['Slice', ['sizes', 'zero', 'one'], 'first'],
    ['Concat', ['first', 'open'], 'flat', { axis: 0 }],
    ['Reshape', ['x', 'flat'], 'rows'],
    ['ReduceSum', ['rows', 'one'], 'y', { keepdims: 0 }],
  ];
  const said = translateSteps({ x, zero: ints(0), one: ints(1), open: ints(-1) }, steps);
  for (const backend of backends) await checkCase('sizes', said, [float([2], [21, 57])], backend);
});

test('a function written out in nodes', async () => {
  const x = float([1, 3], [0, Math.log(2), Math.log(5)]);
  const steps: Step[] = [
    ['ReduceMax', ['x', 'axis'], 'most'],
    ['Sub', ['x', 'most'], 'less'],
    ['Exp', ['less'], 'powers'],
    ['ReduceSum', ['powers', 'axis'], 'sum'],
    ['Div', ['powers', 'sum'], 'y'],
  ];
  const said = translateSteps({ x, axis: ints(-1) }, steps);
  expect(said.text).toContain('exp(');
  for (const backend of backends)
    await checkCase('softmax', said, [float([1, 3], [0.125, 0.25, 0.625])], backend);
});
