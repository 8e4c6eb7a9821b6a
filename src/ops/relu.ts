import * as E from '../ir/expr.ts';
import { applyBinary } from '../ir/scalar.ts';
import * as B from './build.ts';
import { elementwise, offKinks } from './elementwise.ts';

export const relu = elementwise({
  name: 'relu',
  inputs: ['x'],
  accepts: ['signed'],
  doc: 'max(x, 0), elementwise. Its gradient at 0 is 0, as in PyTorch. It is taken from the output, so the input need not be kept.',
  example: 'y = relu(x)',
  // Not `max`, whose two sides share the gradient at a tie.
  value: ([x]) => E.select(E.binary('gt', x!, E.constant(0, x!.dtype)), x!, E.constant(0, x!.dtype)),
  evaluate: ([x], dtype, precision) => applyBinary('max', x!, 0, dtype, precision),
  vjp: (b, [ct], _, [y]) => [B.where(b, B.gt(b, y!, 0), ct!, 0)],
  // relu(relu(x)) = relu(x)
  simplify: (_, [x]) => (x!.node.kind === 'op' && x!.node.op === relu ? [x!] : undefined),
  domain: [offKinks],
  kinks: true,
});
