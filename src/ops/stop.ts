import { elementwise } from './elementwise.ts';

export const stop = elementwise({
  name: 'stop',
  inputs: ['x'],
  accepts: ['any'],
  doc: 'x itself, through which no gradient flows.',
  example: 'y = stop(x)',
  value: ([x]) => x!,
  evaluate: ([x]) => x!,
  vjp: () => [undefined],
});
