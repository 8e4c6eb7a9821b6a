import { expect, test } from 'vitest';
import { check, compile } from '../../src/compile.ts';

test('a parameter of free size can be checked; compiling it is a diagnostic, not a fault', () => {
  const text = `train t {
  data x: f32[N, 3]
  param delta: f32[N, 3] = zeros
  minimize mean((x + delta) ^ 2) over delta by sgd(lr = 0.1)
}`;
  expect(check({ name: 't.dnn', text }).diagnostics).toEqual([]);
  const { compiled, diagnostics } = compile({ name: 't.dnn', text });
  expect(compiled).toBeUndefined();
  expect(diagnostics.map(d => d.code)).toEqual(['E0901']);
  expect(diagnostics[0]!.message).toMatch(/t\.delta: f32\[N, 3\]/);
  expect(diagnostics[0]!.span).toBeDefined();
});
