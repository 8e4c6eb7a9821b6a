import { expect, test } from 'vitest';
import { closest, editDistance } from '../../src/support/suggest.ts';

test('edits, with neighbours that changed places', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('rleu', 'relu')).toBe(1);
});

test('only a near name is suggested', () => {
  const names = ['batch_norm', 'relu', 'conv', 'conv_transpose', 'x'];
  expect(closest('batchnorm', names)).toBe('batch_norm');
  expect(closest('Relu', names)).toBe('relu');
  expect(closest('rleu', names)).toBe('relu');
  expect(closest('dense', names)).toBeUndefined();
  expect(closest('y', names)).toBeUndefined();
  expect(closest('a'.repeat(1000), names)).toBeUndefined();
});
