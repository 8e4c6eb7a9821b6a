import * as E from '../ir/expr.ts';
import * as B from './build.ts';
import { elementwise } from './elementwise.ts';

export const select = elementwise({
  name: 'select',
  inputs: ['condition', 'a', 'b'],
  accepts: ['bool', 'any', 'any'],
  doc: 'a where the condition holds, b elsewhere. The gradient reaches the chosen one alone.',
  example: 'y = where(condition, a, b)',
  value: ([condition, a, b]) => E.select(condition!, a!, b!),
  evaluate: ([condition, a, b]) => (condition !== 0 ? a! : b!),
  vjp: (b, [ct], [condition]) => [undefined, B.where(b, condition!, ct!, 0), B.where(b, condition!, 0, ct!)],
  simplify: (_, [condition, x, y]) => {
    const known = B.constantOf(condition!);
    // select(true, x, y) = x;  select(false, x, y) = y
    if (known !== undefined) return [known !== 0 ? x! : y!];
    // select(c, x, x) = x
    return x === y ? [x!] : undefined;
  },
});
