import * as E from '../ir/expr.ts';
import { applyBinary } from '../ir/scalar.ts';
import { elementwise } from './elementwise.ts';

export const bitNot = elementwise({
  name: 'bit_not',
  inputs: ['x'],
  accepts: ['bits'],
  doc: 'All bits of an integer turned over, elementwise.',
  example: 'y = bit_not(x)',
  value: ([x]) => E.binary('xor', x!, E.constant(x!.dtype === 'u32' ? 2 ** 32 - 1 : -1, x!.dtype)),
  evaluate: ([x], dtype, precision) => applyBinary('xor', x!, -1, dtype, precision),
  // bit_not(bit_not(x)) = x
  simplify: (_, [x]) => (x!.node.kind === 'op' && x!.node.op === bitNot ? [x!.node.inputs[0]!] : undefined),
});
