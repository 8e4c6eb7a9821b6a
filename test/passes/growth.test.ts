import { expect, test } from 'vitest';
import { gpuTarget } from '../../src/ir/target.ts';
import { compileText } from '../torch/run.ts';

/** Each turn reads the value before it twice, at two places: written out, the last one would read the first 2^n times. */
const chain = (n: number): string => `
net A(x: f32[N, 32]) -> f32[N, 32] {
  param w: f32[32] = ones
  y = x * w
  repeat ${n} { y = y * concat(y[:, 1:], y[:, 0:1], axis = 1) }
  return y
}
train t {
  data x: f32[N, 32]
  minimize mean(A(x)) over A by sgd(lr = 0.1)
}`;

test('kernels of a chain that doubles at every step grow with its length, not with its size written out', () => {
  const [short, long] = [6, 12].map(n => {
    const { compiled } = compileText('chain', chain(n), gpuTarget);
    const { scheduled } = compiled.programs.get('t.step')!;
    return JSON.stringify(scheduled.flatMap(s => s.kernels.map(k => k.body))).length;
  });
  expect(long! / short!).toBeLessThan(3);
});
