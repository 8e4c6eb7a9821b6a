import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import * as B from './build.ts';
import { binaryOp, positive } from './elementwise.ts';
import { floats, kinks } from './samples.ts';

/**
 * Slopes where the formula has none: 0 in the base where the exponent is 0; 0 in the exponent where the base is
 * not positive (at base 0 as PyTorch; for a negative base the power is real at integers only).
 */
export const pow = binaryOp('pow', {
  accepts: 'float',
  doc: 'a to the power of b, elementwise. The gradient in b is 0 where a <= 0.',
  example: 'y = a ^ b',
  vjp: (b, [ct], [x, y], [z]) => {
    const constant = B.constantOf(y!);
    // (x^c)' = c x^(c-1)
    if (constant !== undefined) {
      const slope = constant === 0 ? undefined : B.mul(b, B.pow(b, x!, constant - 1), constant);
      return [slope && B.mul(b, ct!, slope), undefined];
    }
    const slope = B.where(b, B.eq(b, y!, 0), 0, B.mul(b, y!, B.pow(b, x!, B.sub(b, y!, 1))));
    // (a^x)' = a^x log a, with the log of 1 where a has none
    const real = B.gt(b, x!, 0);
    const log = B.log(b, B.where(b, real, x!, 1));
    return [B.mul(b, ct!, slope), B.where(b, real, B.mul(b, ct!, B.mul(b, z!, log)), 0)];
  },
  simplify: (b, [x, y]) => {
    const exponent = B.constantOf(y!);
    const power = exponent === undefined ? undefined : constantPower(b, x!, exponent);
    return power && [power];
  },
  domain: [positive, fc => floats(fc)],
  kinks: [fc => kinks(fc), fc => fc.integer({ min: 0, max: 3 })],
});

/** Exact for negative bases too, where the shader's `pow` is not. */
function constantPower(b: GraphBuilder, x: Value, exponent: number): Value | undefined {
  switch (exponent) {
    case 0: // x^0 = 1
      return B.onesLike(b, x);
    case 0.5: // x^0.5 = sqrt x
      return B.sqrt(b, x);
    case 1: // x^1 = x
      return x;
    case 2: // x^2 = x x
      return B.mul(b, x, x);
    case 3: // x^3 = x x x
      return B.mul(b, B.mul(b, x, x), x);
    case -1: // x^-1 = 1 / x
      return B.div(b, 1, x);
  }
  // x^2k = (x x)^k, x^(2k + 1) = x (x x)^k: at most six products, and exact as they are
  if (!Number.isInteger(exponent) || exponent < 4 || exponent > 16) return undefined;
  const half = B.pow(b, B.mul(b, x, x), Math.floor(exponent / 2));
  return exponent % 2 === 0 ? half : B.mul(b, x, half);
}
